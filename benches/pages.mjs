// What a participant's browser asks for, in requests and bytes on the wire, until the first page of the instructions, the first
// practice trial and the first main trial are shown. script/bench pages runs it.
import { Person, launch } from "../tests/browser/support/person.mjs";
import { Server } from "../tests/browser/support/server.mjs";

const server = await Server.start();
const browser = await launch();
try {
  await server.goLive();
  const person = await Person.arrive(browser, "about:blank", { name: "bench" });
  const network = await person.page.context().newCDPSession(person.page);
  const asked = { requests: 0, bytes: 0 };
  network.on("Network.requestWillBeSent", () => { asked.requests += 1; });
  network.on("Network.loadingFinished", ({ encodedDataLength }) => { asked.bytes += encodedDataLength; });
  await network.send("Network.enable");
  const tell = (what) =>
    console.log(`| (f) until ${what} | ${asked.requests} requests, ${(asked.bytes / 1024).toFixed(0)} KiB | | |`);

  // With practice and nine references: the condition that shows most.
  await person.page.goto(server.link("Natural"));
  await person.sees("Which image");
  tell("the page of consent");
  await person.press("I agree");
  await person.sees("Welcome");
  await person.press("Next");
  const counter = person.page.getByText(/^Page 1 of \d+$/);
  await counter.waitFor();
  await person.page.waitForFunction(() => [...document.images].every((image) => image.complete));
  tell("the first page of the instructions");
  const pages = Number(/\d+$/.exec(await counter.textContent())[0]);
  for (let page = 1; page <= pages; page++) {
    await person.page.getByText(`Page ${page} of ${pages}`).waitFor();
    await person.press("Next");
  }
  await person.sees("Fill the screen");
  await person.press("Fill the screen");
  await person.trial(/^Practice trial/);
  tell("the first practice trial, with what was loaded ahead");
  await person.passesPractice();
  await person.press("Start");
  await person.trial(/^Trial 1 /);
  tell("the first main trial, with what was loaded ahead");
} finally {
  await browser.close();
  await server.stop();
}
