import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatEvent } from "../../../src/core/log/format.ts";
import type { PrintedEvent } from "../../../src/core/log/events.ts";

const FIXTURE = readFileSync(new URL("../../fixtures/log/seed-lines-new.log", import.meta.url), "utf8").split("\n");
const STYLE = { broker: "broker-master", product: "Shinken", aligned: false };
const CLEANUP = { time: new Date(2021, 9, 11, 6, 10, 52).getTime(), pid: 3736, module: "WebUI", thread: "MainThread" };
const CALL = {
  time: new Date(2020, 10, 17, 9, 12, 11).getTime(),
  pid: 29341,
  module: "Livestatus",
  thread: "CP Server Thread-46",
};

function assertLines(event: PrintedEvent, fixtureLines: readonly [number, number] | null, expected: string[]): void {
  assert.deepEqual(formatEvent(event, STYLE), expected);
  if (fixtureLines !== null) assert.deepEqual(FIXTURE.slice(fixtureLines[0] - 1, fixtureLines[1]), expected);
}

test("cleanup.start is the seed's line", () => {
  assertLines({ ...CLEANUP, event: "cleanup.start", fields: {} }, [1, 1], [
    "[2021-10-11 06:10:52] INFO : [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736 ] cleanup is starting",
  ]);
});

test("cleanup.done is the seed's line", () => {
  assertLines({ ...CLEANUP, event: "cleanup.done", fields: { ms: 143 } }, [2, 2], [
    "[2021-10-11 06:10:52] INFO : [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736 ] cleanup done in 0.143s",
  ]);
});

test("cleanup.error is the seed's block", () => {
  const head = { time: new Date(2021, 8, 29, 15, 5, 58).getTime(), pid: 20404, module: "Livestatus", thread: "T" };
  const stack = [
    "Traceback (most recent call last):",
    'File "/usr/lib/python2.7/site-packages/shinken/modulesmanager.py", line 877, in do_after_fork_cleanup',
    "inst_cleanup()",
    'File "/var/lib/shinken/modules/sla/sla_module_broker.py", line 93, in after_fork_cleanup',
    "raise IOError(u'IOError occurred')",
    "IOError: IOError occurred",
  ];
  const fields = { owner: "sla", message: "IOError occurred", stack };
  assertLines({ ...head, event: "cleanup.error", fields }, [3, 12], [
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] On linux system, the forking mechanism (process creation) is fast but create a copy of the father process. So we have to release unnecessary resources inherited from father. The cleaning has been performed but we encountered an error:",
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] Cleanup of data from module \u3016 sla \u3017 raised error \u3016 IOError occurred \u3017",
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] Some memory may have not been freed. Shinken will still run if enough memory remains available.",
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] You can report this message to support in order to optimize Shinken memory consumption",
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] ERROR stack : Traceback (most recent call last):",
    '[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] File "/usr/lib/python2.7/site-packages/shinken/modulesmanager.py", line 877, in do_after_fork_cleanup',
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] inst_cleanup()",
    '[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] File "/var/lib/shinken/modules/sla/sla_module_broker.py", line 93, in after_fork_cleanup',
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] raise IOError(u'IOError occurred')",
    "[2021-09-29 15:05:58] ERROR : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:20404 ] [ sla ] IOError: IOError occurred",
  ]);
});

test("cleanup.error names the product of the style", () => {
  const fields = { owner: "sla", message: "m", stack: ["Error: m"] };
  const lines = formatEvent({ ...CLEANUP, event: "cleanup.error", fields }, { ...STYLE, product: "Acme" });
  assert.deepEqual(lines.slice(2), [
    "[2021-10-11 06:10:52] ERROR : [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736 ] [ sla ] Some memory may have not been freed. Acme will still run if enough memory remains available.",
    "[2021-10-11 06:10:52] ERROR : [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736 ] [ sla ] You can report this message to support in order to optimize Acme memory consumption",
    "[2021-10-11 06:10:52] ERROR : [ WebUI ] [ CLEAN AFTER FORK ] [ pid:3736 ] [ sla ] ERROR stack : Error: m",
  ]);
});

test("call.retry is the seed's line", () => {
  const fields = { command: "get_module_info", target: "Livestatus", timeoutMs: 1000 };
  assertLines({ ...CALL, event: "call.retry", fields }, [13, 13], [
    "[2020-11-17 09:12:11] WARNING : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] The command call [get_module_info] for module Livestatus was sent but the call timed out (1s). We will retry one time.",
  ]);
});

test("call.another-answer is the seed's line", () => {
  assertLines({ ...CALL, event: "call.another-answer", fields: { command: "get_module_info" } }, [14, 14], [
    "[2020-11-17 09:12:11] WARNING : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] The command call [get_module_info] was sent but another answer was received. Retrying.",
  ]);
});

test("call.timeout is the seed's line", () => {
  const fields = { command: "get_module_info", target: "Livestatus", timeoutMs: 1000 };
  assertLines({ ...CALL, event: "call.timeout", fields }, [15, 15], [
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Failed to send command call [get_module_info] for module Livestatus because of timeout (1s).",
  ]);
});

test("call.error is the seed's line", () => {
  const fields = {
    command: "get_module_info",
    target: "Livestatus",
    message: "'int' object is not iterable",
    stack: [],
  };
  assertLines({ ...CALL, event: "call.error", fields }, [16, 16], [
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Failed to send command call [get_module_info] for module Livestatus because of error: 'int' object is not iterable",
  ]);
});

test("call.error prints the remote stack in front of its line", () => {
  const stack = ["Traceback (most recent call last):", '  File "/srv/sla.ts", line 3, in get', "TypeError: no"];
  const fields = { command: "get", target: "sla", message: "no", stack };
  assertLines({ ...CALL, event: "call.error", fields }, null, [
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Traceback (most recent call last):",
    '[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ]   File "/srv/sla.ts", line 3, in get',
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] TypeError: no",
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Failed to send command call [get] for module sla because of error: no",
  ]);
});

test("call.answered is the seed's line", () => {
  const fields = { command: "get_module_info", target: "Livestatus", ms: 143 };
  assertLines({ ...CALL, event: "call.answered", fields }, [17, 17], [
    "[2020-11-17 09:12:11] DEBUG : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] The command call [get_module_info] was executed by the module Livestatus in 0.143s",
  ]);
});

test("command.unknown is the seed's line", () => {
  assertLines({ ...CALL, event: "command.unknown", fields: { command: "get_module_info" } }, [18, 18], [
    "[2020-11-17 09:12:11] WARNING : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Received unknown command [get_module_info] to execute !",
  ]);
});

test("command.error is the seed's line, then the stack", () => {
  const stack = [
    "Traceback (most recent call last):",
    'File "C:\\dev\\workspace\\shinken-enterprise\\sources\\framework\\shinken\\shinken\\basesubprocess.py", line 117, in get_and_execute_command_from_master',
    "result = f()",
    'File "C:\\dev\\workspace\\shinken-enterprise\\testing\\test_command_queue_handler.py", line 43, in fail_command',
    "raise Exception",
    "Exception",
  ];
  const fields = { command: "get_module_info", message: "Exception", stack };
  assertLines({ ...CALL, event: "command.error", fields }, [19, 25], [
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Failed to execute received command [get_module_info] with error: Exception",
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Traceback (most recent call last):",
    '[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] File "C:\\dev\\workspace\\shinken-enterprise\\sources\\framework\\shinken\\shinken\\basesubprocess.py", line 117, in get_and_execute_command_from_master',
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] result = f()",
    '[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] File "C:\\dev\\workspace\\shinken-enterprise\\testing\\test_command_queue_handler.py", line 43, in fail_command',
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] raise Exception",
    "[2020-11-17 09:12:11] ERROR : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Exception",
  ]);
});

test("command.executing is the seed's line", () => {
  const fields = { command: "get_module_info", params: "[]" };
  assertLines({ ...CALL, event: "command.executing", fields }, [26, 26], [
    "[2020-11-17 09:12:11] DEBUG : [ broker-master ] [ Livestatus ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Executing command [get_module_info] with param []",
  ]);
});

test("aligned lines pad the level to 7 and the names to 15 characters", () => {
  const aligned = { ...STYLE, aligned: true };
  const error = { owner: "sla", message: "m", stack: ["Error: m"] };
  assert.deepEqual(
    [
      formatEvent({ ...CLEANUP, event: "cleanup.start", fields: {} }, aligned)[0],
      formatEvent({ ...CLEANUP, event: "cleanup.error", fields: error }, aligned)[4],
      formatEvent({ ...CALL, event: "command.unknown", fields: { command: "x" } }, aligned)[0],
    ],
    [
      "[2021-10-11 06:10:52] INFO   : [ WebUI           ] [ CLEAN AFTER FORK ] [ pid:3736 ] cleanup is starting",
      "[2021-10-11 06:10:52] ERROR  : [ WebUI           ] [ CLEAN AFTER FORK ] [ pid:3736 ] [ sla             ] ERROR stack : Error: m",
      "[2020-11-17 09:12:11] WARNING: [ broker-master   ] [ Livestatus      ] [ COMMAND CALL ] [ PID:29341 ] [ CP Server Thread-46 ] Received unknown command [x] to execute !",
    ],
  );
});
