/** TCP options as a script writes them: `<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>`. */
import type { Scanner } from './scanner.ts';
import type { OptionSpec } from './script.ts';

const UNSIGNED = /0[xX][0-9a-fA-F]+|\d+/y;
/** A number, or a name that stands for one. */
const SYMBOL = /\d+|[A-Za-z_]\w*/y;
const HEX = /(?:0[xX])?(?:[0-9a-fA-F]{2})+(?![\w])/y;
const COUNTER = /(?:e0b|ceb|e1b)\b/y;
const USER_TIMEOUT = 28;
const EXPERIMENT = 254;
/** Fast Open's identifier, before it had a kind of its own. */
const FAST_OPEN = 'f989';

/** No `<`: no options; `<...>`: any. */
export function parseOptions(scanner: Scanner): OptionSpec[] | 'any' {
  // Not the `<` of the next packet: that one has a time before it.
  if (!scanner.takes('<')) return [];
  if (scanner.takes('...')) {
    scanner.must('>');
    return 'any';
  }
  const options: OptionSpec[] = [];
  if (scanner.takes('>')) return options;
  do options.push(parseOption(scanner));
  while (scanner.takes(','));
  scanner.must('>');
  return options;
}

function parseOption(scanner: Scanner): OptionSpec {
  const place = scanner.place;
  const name = scanner.mustTake(/[A-Za-z]\w*/y, 'a TCP option');
  switch (name) {
    case 'nop':
    case 'eol':
    case 'sackOK':
      return { name };
    case 'mss':
    case 'wscale':
      return { name, value: unsigned(scanner, 'a number') };
    case 'TS':
      return parseTimestamps(scanner);
    case 'sack':
      return { name, blocks: parseBlocks(scanner) };
    case 'FO':
    case 'FOEXP':
    case 'md5':
      return { name, hex: hex(scanner) };
    case 'ao':
      return {
        name,
        keyId: unsigned(scanner, 'a key id'),
        rnextKeyId: unsigned(scanner, 'a key id'),
        hex: hex(scanner),
      };
    case 'ECN':
      return { name, counters: parseCounters(scanner) };
    case 'uto':
      return { name: 'kind', kind: USER_TIMEOUT, hex: userTimeout(scanner) };
    case 'exp':
      return parseExperiment(scanner);
    case 'kind':
      return { name, kind: unsigned(scanner, 'the kind of an option'), hex: hex(scanner) };
    default:
      throw scanner.error(
        'a TCP option must be mss, nop, eol, wscale, sackOK, sack, TS, FO, FOEXP, md5, ao, uto, ECN, exp-0000 or kind',
        place,
      );
  }
}

/** `uto 30`, seconds; `uto 5m`: RFC 5482 3.1: the first bit says minutes. */
function userTimeout(scanner: Scanner): string {
  const value = unsigned(scanner, 'a user timeout');
  const minutes = scanner.takeHere(/m\b/y) !== undefined;
  return (value | (minutes ? 0x8000 : 0)).toString(16).padStart(4, '0');
}

/** `exp-f989 a1b2`: a shared experimental option, by its identifier (RFC 6994 3.1). */
function parseExperiment(scanner: Scanner): OptionSpec {
  const id = scanner
    .takeHere(/-[0-9a-fA-F]{4}\b/y)
    ?.slice(1)
    .toLowerCase();
  if (id === undefined) throw scanner.error('expected the four digits of an experiment, as in `exp-f989`');
  const rest = hex(scanner);
  return id === FAST_OPEN ? { name: 'FOEXP', hex: rest } : { name: 'kind', kind: EXPERIMENT, hex: id + rest };
}

function parseTimestamps(scanner: Scanner): OptionSpec {
  scanner.must('val');
  const val = symbol(scanner);
  scanner.must('ecr');
  return { name: 'TS', val, ecr: symbol(scanner) };
}

function parseBlocks(scanner: Scanner): [number, number][] {
  const blocks: [number, number][] = [];
  do {
    const left = unsigned(scanner, 'a SACK block such as `1001:2001`');
    scanner.must(':');
    blocks.push([left, unsigned(scanner, 'the right edge of a SACK block')]);
  } while (scanner.sees(UNSIGNED));
  return blocks;
}

function parseCounters(scanner: Scanner): [string, number][] {
  const counters: [string, number][] = [];
  for (let which = scanner.take(COUNTER); which !== undefined; which = scanner.take(COUNTER)) {
    counters.push([which, unsigned(scanner, 'a counter')]);
  }
  return counters;
}

function symbol(scanner: Scanner): number | string {
  const text = scanner.mustTake(SYMBOL, 'a timestamp, or a name for one');
  return /^\d/.test(text) ? Number(text) : text;
}

function hex(scanner: Scanner): string {
  const text = scanner.take(HEX) ?? '';
  return text.replace(/^0[xX]/, '').toLowerCase();
}

function unsigned(scanner: Scanner, what: string): number {
  return Number(scanner.mustTake(UNSIGNED, what));
}
