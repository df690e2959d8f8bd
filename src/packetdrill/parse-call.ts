/** `connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)`: system calls and the expressions in them. */
import type { Scanner } from './scanner.ts';
import type { CallAction, Expression, StructField } from './script.ts';

const NAME = /[A-Za-z_]\w*/y;
const NUMBER = /-?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?)(?:[uUlL]+)?/y;
const STRING = /"(?:[^"\\]|\\[\s\S])*"/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([\s\S]))/g;
const PLAIN: Record<string, string> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07', b: '\b' };

export function parseCall(scanner: Scanner): CallAction {
  const name = scanner.mustTake(NAME, 'the name of a system call');
  scanner.must('(');
  const args = parseItems(scanner, ')');
  scanner.must('=');
  // strace's `?`: a call that did not return.
  const result: Expression = scanner.takes('?') ? { kind: 'ellipsis' } : parseExpression(scanner);
  const errno = scanner.sees(/E[A-Z0-9]+\b/y) ? scanner.take(NAME) : undefined;
  if (scanner.takes('(')) scanner.until(')', 'the comment');
  return { kind: 'call', name, args, result: result.kind === 'ellipsis' ? undefined : result, errno };
}

export function parseExpression(scanner: Scanner): Expression {
  const parts = [parsePrimary(scanner)];
  while (scanner.takes('|')) parts.push(parsePrimary(scanner));
  return parts.length === 1 ? (parts[0] as Expression) : { kind: 'or', parts };
}

function parsePrimary(scanner: Scanner): Expression {
  if (scanner.takes('...')) return { kind: 'ellipsis' };
  if (scanner.takes('[')) return { kind: 'list', items: parseItems(scanner, ']') };
  if (scanner.takes('{')) return { kind: 'struct', fields: parseFields(scanner) };
  const string = scanner.take(STRING);
  if (string !== undefined) {
    // strace's mark that there was more of it.
    scanner.takes('...');
    return { kind: 'string', value: plainText(string.slice(1, -1)) };
  }
  const number = scanner.take(NUMBER);
  if (number !== undefined) return { kind: 'number', value: numberOf(number) };
  const name = scanner.mustTake(NAME, 'a value');
  if (scanner.takes('(')) return { kind: 'call', name, args: parseItems(scanner, ')') };
  return { kind: 'name', name };
}

function parseItems(scanner: Scanner, end: string): Expression[] {
  const items: Expression[] = [];
  if (scanner.takes(end)) return items;
  do items.push(parseExpression(scanner));
  while (scanner.takes(','));
  scanner.must(end);
  return items;
}

/** `name = value`, `name(length) = value` (as strace writes arrays) or a bare value. */
function parseFields(scanner: Scanner): StructField[] {
  const fields: StructField[] = [];
  if (scanner.takes('}')) return fields;
  do {
    const value = parseExpression(scanner);
    const named = value.kind === 'name' || value.kind === 'call';
    if (named && scanner.takes('=')) fields.push({ name: value.name, value: parseExpression(scanner) });
    else fields.push({ name: undefined, value });
  } while (scanner.takes(','));
  scanner.must('}');
  return fields;
}

function numberOf(text: string): number {
  const plain = text.replace(/[uUlL]+$/, '');
  return plain.startsWith('-') ? -Number(plain.slice(1)) : Number(plain);
}

function plainText(text: string): string {
  return text.replace(ESCAPE, (_, hex?: string, octal?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    return PLAIN[letter as string] ?? (letter as string);
  });
}
