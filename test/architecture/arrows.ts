/**
 * The floors of docs/architecture.md as data, and the rules between them: imports only point down; `node:*` and dependencies
 * have their rooms; the protocols see no clock, timer, randomness or promise.
 */
import { posix } from 'node:path';
import { type Import, importsOf, scan, type Token } from './scan.ts';

/** From the top to the ground. A name is a file or a folder of src/; those of one floor do not import each other. */
const FLOORS: readonly (readonly string[])[] = [
  ['index.ts', 'node.ts', 'web.ts', 'register.ts'],
  ['cli'],
  ['lab', 'sim', 'packetdrill'],
  ['node', 'web'],
  ['host.ts'],
  ['net'],
  ['socket'],
  ['stack'],
  ['ip', 'tcp', 'udp'],
  ['link'],
  ['wire', 'time', 'trace'],
  ['arguments.ts'],
];

/** Where `node:*` and dependencies may be imported. */
const OUTSIDE_ALLOWED = /^(link\/(tun|raw)|(node|lab|cli)\/|node\.ts$)/;

/** Where time, chance and waiting come in as arguments only. */
const PURE = /^(wire|ip|tcp|udp)\//;
const IMPURE_NAMES = new Set(
  (
    'Date performance setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask ' +
    'requestAnimationFrame Promise async await EventEmitter EventTarget crypto process'
  ).split(' '),
);

/** What stands on sockets (net/, packetdrill/) takes of tcp/ only what users set and are told, and reaches for none of its objects. */
const ON_SOCKETS = /^(net|packetdrill)\//;
const TCP_SEEN = new Set(
  ['config', 'info', 'path', 'segment-hasher', 'congestion/congestion'].map((name) => `tcp/${name}.ts`),
);
const TCP_OBJECTS = new Set(['tcp', 'demux', 'connection']);

const GLOBALS = new Set(['globalThis', 'global', 'window', 'self']);

/** A file of src/: its path from there, with forward slashes, and its text. */
interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What is wrong, one line each: `src/tcp/input.ts:12: ...`; empty: nothing. */
export function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => fileViolations(file));
}

function fileViolations({ path, text }: SourceFile): string[] {
  const found: string[] = [];
  const report = (line: number, what: string) => found.push(`src/${path}:${line}: ${what}`);
  const tokens = scan(text);
  const own = roomOf(path);
  if (floorOf(own) === -1)
    report(1, `${own} is on no floor: give it one in test/architecture/arrows.ts and docs/architecture.md`);
  for (const one of importsOf(tokens)) {
    const what = importViolation(path, one);
    if (what !== undefined) report(one.line, what);
  }
  if (ON_SOCKETS.test(path))
    for (const token of reachedAround(tokens))
      report(token.line, `${own} takes .${token.text}: what it needs of TCP is asked of sockets, or of the stack`);
  if (PURE.test(path))
    for (const token of impureTokens(tokens))
      report(token.line, `${own} uses ${token.text}: it must be handed in from above`);
  return found;
}

function importViolation(path: string, { specifier }: Import): string | undefined {
  if (specifier === undefined) return 'an import that is computed: write its path out';
  if (!specifier.startsWith('.')) {
    return OUTSIDE_ALLOWED.test(path)
      ? undefined
      : `imports ${specifier}: only link/tun*, link/raw*, node/, lab/, cli/ and node.ts may`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (target.startsWith('..')) return `imports ${specifier}, which lies outside src/`;
  const from = roomOf(path);
  const to = roomOf(target);
  if (ON_SOCKETS.test(path) && to === 'tcp' && !TCP_SEEN.has(target))
    return `${from} imports ${target}: it stands on socket/`;
  if (from === to) return undefined;
  if (to === 'cli') return `${from} imports ${target}: nothing imports cli/`;
  const difference = floorOf(to) - floorOf(from);
  if (floorOf(to) === -1) return `${from} imports ${target}, which is on no floor`;
  if (difference < 0) return `${from} imports ${target}: the arrow points up`;
  return difference === 0 ? `${from} imports ${target}: the arrow points sideways` : undefined;
}

/** The folder of src/ that a file lies in, or the file itself when it lies in src/. */
function roomOf(path: string): string {
  return path.split('/')[0] as string;
}

function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room));
}

function impureTokens(tokens: readonly Token[]): Token[] {
  return tokens.filter((token, i) => {
    if (token.kind !== 'name') return false;
    const member = tokens[i - 1]?.text === '.';
    const owner = tokens[i - 2]?.text ?? '';
    if (token.text === 'random') return member && owner === 'Math';
    return IMPURE_NAMES.has(token.text) && (!member || GLOBALS.has(owner));
  });
}

/** Members of the stack, or of a socket, that are TCP's own. */
function reachedAround(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind, text }, i) => kind === 'name' && TCP_OBJECTS.has(text) && tokens[i - 1]?.text === '.');
}
