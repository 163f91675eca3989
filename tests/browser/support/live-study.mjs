// A live study and a browser for the tests of one file: importing this file starts both before the tests and ends both afterwards.
import { after, before } from "node:test";
import { launch } from "./person.mjs";
import { Server } from "./server.mjs";

/** @type {Server} */
export let server;
export let browser;

before(async () => {
  server = await Server.start();
  await server.goLive();
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.stop();
});
