import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { Access, isLoopback, parseAddress, Token } from "../../../src/cli/page/access.ts";

const SECRET = "0123456789abcdef";
const NO_TOKEN = { token: null, names: ["monitor.example"], local: true, port: 9464 };
const WITH_TOKEN = { ...NO_TOKEN, token: new Token(SECRET), local: false };

function request(headers: Readonly<Record<string, string>>): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  Object.assign(message.headers, headers);
  return message;
}

function isRefused(
  options: ConstructorParameters<typeof Access>[0],
  headers: Readonly<Record<string, string>>,
): boolean {
  return new Access(options).origin(request(headers)).kind === "refused";
}

test("Access refuses a host that is none of the page's, with any port", () => {
  const known = ["127.0.0.1:9464", "localhost", "LOCALHOST:80", "[::1]:9464", "127.0.0.5", "monitor.example:9464"];
  for (const host of known) assert.equal(isRefused(NO_TOKEN, { host }), false, host);
  const foreign = [
    "evil.example",
    "127.0.0.1.evil.example:9464",
    "localhost.evil.example",
    "192.0.2.1:9464",
    "[2001:db8::1]",
    "evil.example@127.0.0.1",
    "127.0.0.1:9464/",
    "",
  ];
  for (const host of foreign) assert.equal(isRefused(NO_TOKEN, { host }), true, host);
  assert.equal(isRefused(NO_TOKEN, {}), true);
});

test("Access takes any address as its own where other machines may come, and no other name", () => {
  assert.equal(isRefused(WITH_TOKEN, { host: "192.0.2.1:9464" }), false);
  assert.equal(isRefused(WITH_TOKEN, { host: "evil.example:9464", authorization: `Bearer ${SECRET}` }), true);
});

test("Access refuses an origin that is another than the host", () => {
  const host = "127.0.0.1:9464";
  assert.equal(isRefused(NO_TOKEN, { host, origin: `http://${host}` }), false);
  for (const origin of ["http://evil.example", "null", "http://127.0.0.1:9465", "", `http://${host}.evil.example`]) {
    assert.equal(isRefused(NO_TOKEN, { host, origin }), true, origin);
  }
});

test("Access knows the token as bearer and as the cookie that a login gave", () => {
  const access = new Access(WITH_TOKEN);
  const secret = (headers: Readonly<Record<string, string>>, path = "/") =>
    access.secret(request(headers), new URL(path, "http://page"));
  assert.deepEqual(secret({}), { kind: "unknown" });
  assert.deepEqual(secret({ authorization: `Bearer ${SECRET}` }), { kind: "allowed" });
  assert.deepEqual(secret({ authorization: `Bearer ${SECRET}x` }), { kind: "unknown" });
  assert.deepEqual(secret({ authorization: `Basic ${SECRET}` }), { kind: "unknown" });
  assert.deepEqual(secret({}, "/?token=wrong"), { kind: "unknown" });
  const login = secret({}, `/?token=${SECRET}`);
  assert.ok(login.kind === "login");
  const [, cookie = ""] = /^(brokkr_page_9464=[\da-f]{64}); HttpOnly; SameSite=Strict; Path=\/$/.exec(login.cookie) ??
    [];
  assert.equal(login.cookie.includes(SECRET), false);
  assert.deepEqual(secret({ cookie: `other=1; ${cookie}` }), { kind: "allowed" });
  assert.deepEqual(secret({ cookie: `brokkr_page_9464=${SECRET}` }), { kind: "unknown" });
});

test("--page takes an address and a port, and says what else is wrong", () => {
  const parse = (input: string) => {
    const parsed = parseAddress(input);
    return typeof parsed === "string" ? null : parsed;
  };
  assert.deepEqual(parse("127.0.0.1:9464"), { host: "127.0.0.1", port: 9464 });
  assert.deepEqual(parse("[::1]:0"), { host: "::1", port: 0 });
  assert.deepEqual(parse("monitor.example:80"), { host: "monitor.example", port: 80 });
  for (const wrong of ["9464", ":9464", "127.0.0.1", "::1:9464", "127.0.0.1:65536", "http://127.0.0.1:1", "a b:1"]) {
    assert.equal(parse(wrong), null, wrong);
  }
});

test("isLoopback() tells this machine's own addresses from all others", () => {
  for (const own of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) assert.equal(isLoopback(own), true, own);
  for (const other of ["0.0.0.0", "::", "192.0.2.1", "fe80::1", "::ffff:192.0.2.1", "127.evil"]) {
    assert.equal(isLoopback(other), false, other);
  }
});
