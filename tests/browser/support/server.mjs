// A real server with a database of its own.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STUDY, WEBER } from "./places.mjs";

export class Server {
  #data = mkdtempSync(join(tmpdir(), "weber-browser-"));
  #database = `browser_${randomBytes(6).toString("hex")}`;
  #process;
  #said = "";
  #cookie = "";
  #settings = {};

  /** @param {Record<string, string>} [settings] further WEBER_* variables */
  static async start(settings = {}) {
    const server = new Server();
    server.#settings = settings;
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    server.sql(`create database ${server.#database}`, process.env.DATABASE_URL);
    server.weber("import", STUDY);
    await server.run();
    return server;
  }

  get #environment() {
    const address = new URL(process.env.DATABASE_URL);
    address.pathname = `/${this.#database}`;
    return { ...process.env, ...this.#settings, DATABASE_URL: address.href, WEBER_DATA: this.#data };
  }

  /** Starts the server and waits until it says that it runs. */
  async run() {
    this.#said = "";
    this.#process = spawn(WEBER, ["serve", "--listen", `127.0.0.1:${this.port}`], { env: this.#environment });
    this.#process.stdout.on("data", (text) => (this.#said += text));
    this.#process.stderr.on("data", (text) => (this.#said += text));
    for (let i = 0; i < 600 && !this.#said.includes("runs at"); i++) {
      if (this.#process.exitCode !== null) throw new Error(`The server has ended: ${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the server by SIGKILL, as a power failure would. */
  kill() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    return ended;
  }

  async stop() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
    this.sql(`drop database ${this.#database} with (force)`, process.env.DATABASE_URL);
    rmSync(this.#data, { recursive: true, force: true });
  }

  /** All output of the server since its start. */
  get said() {
    return this.#said;
  }

  weber(...args) {
    return execFileSync(WEBER, args, { env: this.#environment, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  }

  /** The rows of a query, as lists of texts. */
  sql(query, url = this.#environment.DATABASE_URL) {
    const text = execFileSync("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", query], { encoding: "utf8" });
    return text.split("\n").slice(0, -1).map((line) => line.split("|"));
  }

  /** The one-time link that a first start prints. */
  get passwordLink() {
    return /\S+\/set-password#\S+/.exec(this.#said)[0];
  }

  /** Sets a researcher's first password and starts the study, by the same requests as a browser. */
  async goLive() {
    const [, token] = this.passwordLink.split("#");
    const password = "correct horse battery";
    const welcome = await this.#post("/set-password", { token, password, again: password });
    this.#cookie = welcome.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
    await this.setState("live");
  }

  async setState(state) {
    const { status } = await this.#post("/lab/studies/demo/state", { state });
    if (status !== 303) throw new Error(`The study does not become ${state}: ${status}`);
  }

  #post(path, fields) {
    const headers = { Cookie: this.#cookie, Origin: this.url };
    return fetch(this.url + path, { method: "POST", headers, body: new URLSearchParams(fields), redirect: "manual" });
  }

  /** The address of an entry link, by its name. */
  link(name) {
    const [[code]] = this.sql(`select code from links where name = '${name}'`);
    return `${this.url}/enter/${code}`;
  }

  /** The number of arrivals, by outcome. */
  arrivals() {
    return Object.fromEntries(this.sql("select kind, sum(n) from arrivals group by kind").map(([kind, n]) => [kind, Number(n)]));
  }

  /** A file of the export, as a list of objects. */
  exported(file) {
    const out = join(this.#data, "export");
    this.weber("export", "demo", "--out", out);
    return parseCsv(readFileSync(join(out, file), "utf8"));
  }
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The rows of a CSV text, as objects. In these files only feedback contains quotes or line breaks. */
export function parseCsv(text) {
  const rows = [...text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)];
  const table = [[]];
  for (const [all, quoted, plain, end] of rows) {
    if (all === "") continue;
    table.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") table.push([]);
  }
  const [head, ...body] = table.filter((row) => row.length > 0);
  return body.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
}
