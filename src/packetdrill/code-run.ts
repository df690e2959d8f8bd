/** Runs code blocks: one namespace for a script, in which the TCP_INFO values of each block are names. */
import type { Code, Statement } from './code-parser.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';

export type Value = number | string | boolean | null | readonly Value[];

/** What code blocks see: what they assigned, and the values of TCP_INFO at the time of the block. */
export class Namespace {
  readonly #names = new Map<string, Value>();
  /** What print printed. */
  readonly printed: string[] = [];
  #block: Readonly<Record<string, number>> = {};

  /** @param constants names that are always there */
  constructor(constants: Readonly<Record<string, number>>) {
    for (const [name, value] of Object.entries(constants)) this.#names.set(name, value);
  }

  /**
   * @param values of TCP_INFO at the block
   * @throws ScriptFailure when an assertion does not hold, or the code makes no sense
   * @throws UnsupportedFeature for a field of TCP_INFO that the stack does not have
   */
  run(statements: readonly Statement[], values: Readonly<Record<string, number>>): void {
    this.#block = values;
    for (const statement of statements) this.#execute(statement);
  }

  #execute(statement: Statement): void {
    switch (statement.kind) {
      case 'assert':
        if (truth(this.#value(statement.test))) return;
        throw new ScriptFailure(this.#explain(statement.text, statement.test, statement.message));
      case 'assign': {
        const value = this.#value(statement.value);
        const { name, operator } = statement;
        this.#names.set(name, operator === '' ? value : binary(operator, this.#name(name), value));
        return;
      }
      default:
        this.#value(statement.value);
    }
  }

  /** `assert tcpi_snd_cwnd == 10 does not hold: tcpi_snd_cwnd = 7`. */
  #explain(text: string, test: Code, message: Code | undefined): string {
    const names = [...new Set(namesIn(test))].filter((name) => !/^[A-Z]/.test(name));
    const known = names.map((name) => `${name} = ${show(this.#name(name))}`).join(', ');
    const said = message === undefined ? '' : ` (${display(this.#value(message))})`;
    return `${text} does not hold${known === '' ? '' : `: ${known}`}${said}`;
  }

  #name(name: string): Value {
    const value = this.#block[name] ?? this.#names.get(name);
    if (value !== undefined) return value;
    if (name.startsWith('tcpi_')) throw new UnsupportedFeature(`TCP_INFO's ${name}`);
    throw new ScriptFailure(`the code block uses ${name}, which nobody has assigned`);
  }

  #value(code: Code): Value {
    switch (code.kind) {
      case 'constant':
        return code.value;
      case 'name':
        return this.#name(code.name);
      case 'tuple':
        return code.items.map((item) => this.#value(item));
      case 'unary':
        return unary(code.operator, this.#value(code.of));
      case 'binary':
        return this.#binary(code.operator, code.left, code.right);
      case 'compare':
        return this.#compare(code.operators, code.operands);
      case 'choice':
        return truth(this.#value(code.test)) ? this.#value(code.yes) : this.#value(code.no);
      case 'index':
        return element(this.#value(code.of), this.#value(code.at));
      default:
        return this.#call(
          code.name,
          code.args.map((arg) => this.#value(arg)),
        );
    }
  }

  #binary(operator: string, left: Code, right: Code): Value {
    const first = this.#value(left);
    if (operator === 'and') return truth(first) ? this.#value(right) : first;
    if (operator === 'or') return truth(first) ? first : this.#value(right);
    return binary(operator, first, this.#value(right));
  }

  /** `a <= b < c` is `a <= b and b < c`. */
  #compare(operators: readonly string[], operands: readonly Code[]): boolean {
    let left = this.#value(operands[0] as Code);
    return operators.every((operator, i) => {
      const right = this.#value(operands[i + 1] as Code);
      const holds = compare(operator, left, right);
      left = right;
      return holds;
    });
  }

  #call(name: string, args: readonly Value[]): Value {
    switch (name) {
      case 'print':
        this.printed.push(args.map(display).join(' '));
        return null;
      case 'abs':
        return Math.abs(numeric(args[0]));
      case 'min':
      case 'max':
        return Math[name](...(Array.isArray(args[0]) ? args[0] : args).map(numeric));
      case 'int':
        return Math.trunc(numeric(args[0]));
      case 'float':
        return numeric(args[0]);
      case 'round':
        return Math.round(numeric(args[0]));
      case 'str':
        return display(args[0] ?? '');
      case 'len':
        if (typeof args[0] === 'string' || Array.isArray(args[0])) return args[0].length;
        throw new ScriptFailure(`the code block asks for the length of ${show(args[0] ?? null)}`);
      default:
        throw new UnsupportedFeature(`the Python function ${name}() in a code block`);
    }
  }
}

function namesIn(code: Code): string[] {
  switch (code.kind) {
    case 'name':
      return [code.name];
    case 'tuple':
      return code.items.flatMap(namesIn);
    case 'unary':
      return namesIn(code.of);
    case 'binary':
      return [...namesIn(code.left), ...namesIn(code.right)];
    case 'compare':
      return code.operands.flatMap(namesIn);
    case 'choice':
      return [code.test, code.yes, code.no].flatMap(namesIn);
    case 'index':
      return [...namesIn(code.of), ...namesIn(code.at)];
    case 'call':
      return code.args.flatMap(namesIn);
    default:
      return [];
  }
}

function unary(operator: string, value: Value): Value {
  if (operator === 'not') return !truth(value);
  const number = numeric(value);
  if (operator === '~') return Number(~BigInt(number));
  return operator === '-' ? -number : number;
}

function binary(operator: string, left: Value, right: Value): Value {
  if (operator === '%' && typeof left === 'string') return format(left, Array.isArray(right) ? right : [right]);
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  const [a, b] = [numeric(left), numeric(right)];
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '**':
      return a ** b;
    case '/':
      return a / nonZero(b);
    case '//':
      return Math.floor(a / nonZero(b));
    case '%':
      return a - nonZero(b) * Math.floor(a / b);
    default:
      return bitwise(operator, BigInt(a), BigInt(b));
  }
}

function bitwise(operator: string, a: bigint, b: bigint): number {
  switch (operator) {
    case '&':
      return Number(a & b);
    case '|':
      return Number(a | b);
    case '^':
      return Number(a ^ b);
    case '<<':
      return Number(a << b);
    default:
      return Number(a >> b);
  }
}

function nonZero(number: number): number {
  if (number === 0) throw new ScriptFailure('the code block divides by zero');
  return number;
}

function compare(operator: string, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
    case 'is':
      return same(left, right);
    case '!=':
    case 'is not':
      return !same(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    default:
      return ordered(operator, left, right);
  }
}

function ordered(operator: string, left: Value, right: Value): boolean {
  const [a, b] =
    typeof left === 'string' && typeof right === 'string' ? [left, right] : [numeric(left), numeric(right)];
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  return operator === '>' ? a > b : a >= b;
}

function contains(all: Value, one: Value): boolean {
  if (typeof all === 'string' && typeof one === 'string') return all.includes(one);
  if (Array.isArray(all)) return all.some((each: Value) => same(each, one));
  throw new ScriptFailure(`the code block looks for ${show(one)} in ${show(all)}`);
}

function same(left: Value, right: Value): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((each: Value, i: number) => same(each, right[i] as Value));
  }
  return scalar(left) === scalar(right);
}

/** True is 1. */
function scalar(value: Value): Value {
  return typeof value === 'boolean' ? Number(value) : value;
}

function truth(value: Value): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function numeric(value: Value | undefined): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  throw new ScriptFailure(`the code block reckons with ${show(value ?? null)}`);
}

function element(of: Value, at: Value): Value {
  const found = typeof of === 'string' || Array.isArray(of) ? of.at(numeric(at)) : undefined;
  if (found === undefined) throw new ScriptFailure(`the code block asks for element ${show(at)} of ${show(of)}`);
  return found as Value;
}

/** `'%d of %s' % (1, 'x')`. */
function format(text: string, values: readonly Value[]): string {
  let next = 0;
  return text.replace(/%(?:%|([-0]*)(\d*)(?:\.(\d+))?([diufsxXrg]))/g, (all, flags = '', width = '', digits, kind) => {
    if (all === '%%') return '%';
    const value = values[next++];
    if (value === undefined) throw new ScriptFailure(`the code block formats too few values: '${text}'`);
    const shown = formatOne(kind as string, digits as string | undefined, value);
    if (flags.includes('-')) return shown.padEnd(Number(width));
    return shown.padStart(Number(width), flags.includes('0') ? '0' : ' ');
  });
}

function formatOne(kind: string, digits: string | undefined, value: Value): string {
  if (kind === 's' || kind === 'g') return display(value);
  if (kind === 'r') return show(value);
  if (kind === 'f') return numeric(value).toFixed(Number(digits ?? 6));
  const whole = Math.trunc(numeric(value));
  if (kind === 'x') return whole.toString(16);
  return kind === 'X' ? whole.toString(16).toUpperCase() : String(whole);
}

function display(value: Value): string {
  return typeof value === 'string' ? value : show(value);
}

/** As Python's repr. */
function show(value: Value): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `(${value.map(show).join(', ')})`;
  return value === null ? 'None' : String(value);
}
