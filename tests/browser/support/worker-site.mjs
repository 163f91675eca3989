// A strict fake of MTurk's worker site, on another site than Weber. It shows a task in a sandboxed frame and accepts what
// the frame's form posts, as MTurk's documentation describes.
import { createServer } from "node:http";

export class WorkerSite {
  /** The submissions: {assignmentId, receipt}. */
  taken = [];
  /** The refused submissions, with reasons. */
  refused = [];
  #server;

  static async start() {
    const site = new WorkerSite();
    site.#server = createServer((request, response) => site.#answer(request, response));
    await new Promise((resolve) => site.#server.listen(0, "127.0.0.1", resolve));
    // The host is a name, so that it is another site than Weber's 127.0.0.1.
    site.origin = `http://localhost:${site.#server.address().port}`;
    return site;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  /** The address of the page that shows a task to a worker. */
  task(entry, { worker = "", assignment, hit = "3HIT", sandbox }) {
    const parameters = { assignmentId: assignment, hitId: hit, turkSubmitTo: `${this.origin}/` };
    if (worker) parameters.workerId = worker;
    const source = `${entry}?${new URLSearchParams(parameters)}`;
    return `${this.origin}/task?${new URLSearchParams({ source, sandbox })}`;
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.origin);
    if (url.pathname === "/task") return this.#show(url, response);
    if (url.pathname === "/mturk/externalSubmit") return this.#take(request, response);
    response.writeHead(404).end();
  }

  #show(url, response) {
    const quote = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end(`<!doctype html><title>Worker site</title><h1>A task</h1>
      <iframe title="task" width="1000" height="800" sandbox="${quote(url.searchParams.get("sandbox"))}"
        src="${quote(url.searchParams.get("source"))}"></iframe>`);
  }

  async #take(request, response) {
    let body = "";
    for await (const part of request) body += part;
    const fields = new URLSearchParams(body);
    const reason = this.#fault(request, fields);
    if (reason) {
      this.refused.push(reason);
      return response.writeHead(400).end(reason);
    }
    this.taken.push(Object.fromEntries(fields));
    response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Handed in</h1>");
  }

  #fault(request, fields) {
    if (request.method !== "POST") return "not a POST";
    if (request.headers["content-type"] !== "application/x-www-form-urlencoded") return "not a form";
    if (request.headers["sec-fetch-dest"] !== "iframe") return "not from within the frame";
    if (request.headers["sec-fetch-mode"] !== "navigate") return "not by a form";
    if (!fields.get("assignmentId")) return "no assignmentId";
    if ([...fields.keys()].length < 2) return "no field besides assignmentId";
    return "";
  }
}
