/** The grammar of a script: options, then events, each a time and an action. */
import { parseCall } from './parse-call.ts';
import { parsePacket } from './parse-packet.ts';
import { Scanner } from './scanner.ts';
import type { Action, EventTime, Script, ScriptEvent, ScriptOption } from './script.ts';

const SECONDS = /\d+(?:\.(?!\.)\d*)?(?:[eE][-+]?\d+)?|\.\d+/y;
const OPTION = /--[A-Za-z_]\w*/y;

/**
 * @param name for messages: `handshake.pkt`
 * @throws ScriptSyntaxError `handshake.pkt:3: expected ...`
 */
export function parseScript(name: string, text: string): Script {
  const scanner = new Scanner(name, text);
  const options: ScriptOption[] = [];
  for (let option = parseOption(scanner); option !== undefined; option = parseOption(scanner)) options.push(option);
  const events: ScriptEvent[] = [];
  while (!scanner.atEnd) events.push(parseEvent(scanner));
  const first = events.find(({ time }) => time.kind !== 'none');
  if (first !== undefined && 'at' in first.time && first.time.at !== 0) {
    throw scanner.error('the first event must be at 0 or +0', placeOf(text, first.line));
  }
  return { name, options, events };
}

function placeOf(text: string, line: number): number {
  let at = 0;
  for (let n = 1; n < line; n++) at = text.indexOf('\n', at) + 1;
  return at;
}

function parseOption(scanner: Scanner): ScriptOption | undefined {
  const { line } = scanner;
  const name = scanner.take(OPTION);
  if (name === undefined) return undefined;
  const value = scanner.takeHere(/[ \t]*=[ \t]*[^\s#]*|(?![ \t]+(?:--|\/\/|#))[ \t]+[^\s#]+/y) ?? '';
  return { name: name.slice(2), value: value.replace(/^[ \t]*=?[ \t]*/, ''), line };
}

function parseEvent(scanner: Scanner): ScriptEvent {
  const start = scanner.place;
  const line = scanner.lineOf(start);
  if (scanner.sees(/`/y)) return { line, time: { kind: 'none' }, action: parseAction(scanner), text: 'command' };
  const time = parseTime(scanner);
  let until: number | undefined;
  if (scanner.takes('...')) {
    if (time.kind !== 'absolute' && time.kind !== 'relative') throw scanner.error('a range of times cannot wait');
    scanner.takes('+');
    until = parseSeconds(scanner);
    if (until < time.at) throw scanner.error('the call ends before it starts', start);
  }
  const action = parseAction(scanner);
  if (until !== undefined && action.kind !== 'call') throw scanner.error('only a system call can wait', start);
  const event = { line, time, action, text: scanner.textSince(start) };
  return until === undefined ? event : { ...event, until };
}

function parseTime(scanner: Scanner): EventTime {
  if (scanner.takes('*')) return { kind: 'any' };
  const place = scanner.place;
  const relative = scanner.takes('+');
  const at = parseSeconds(scanner);
  if (!scanner.takes('~')) return { kind: relative ? 'relative' : 'absolute', at };
  if (scanner.takes('+') !== relative) throw scanner.error('both ends of a range must be relative, or neither', place);
  const to = parseSeconds(scanner);
  if (to < at) throw scanner.error('the range of times ends before it starts', place);
  return { kind: 'range', at, to, relative };
}

/** In ms, exact to the microsecond. */
function parseSeconds(scanner: Scanner): number {
  const text = scanner.mustTake(SECONDS, 'a time in seconds such as `+0.1`, an absolute one, or `*`');
  return Math.round(Number(text) * 1e6) / 1000;
}

function parseAction(scanner: Scanner): Action {
  if (scanner.takes('%{')) return { kind: 'code', code: scanner.until('}%', 'the code block') };
  if (scanner.takes('`')) return { kind: 'command', command: scanner.until('`', 'the command') };
  if (scanner.sees(/[<>]/y)) return parsePacket(scanner);
  if (scanner.sees(/[A-Za-z_]\w*\s*\(/y)) return parseCall(scanner);
  throw scanner.error('expected a packet (`<` or `>`), a system call, a `command` or a %{ code block }%');
}
