/**
 * Code blocks: the part of Python that scripts use. Assertions, assignments, print, arithmetic, chained comparisons, `and`, `or`, `not`,
 * `in`, calls of a few functions, `'%d' % x`. This file reads it; code-run.ts runs it.
 */
import { PythonFeature, ScriptSyntaxError } from './errors.ts';

export type Statement =
  | { readonly kind: 'assert'; readonly test: Code; readonly message: Code | undefined; readonly text: string }
  | { readonly kind: 'assign'; readonly name: string; readonly operator: string; readonly value: Code }
  | { readonly kind: 'expression'; readonly value: Code };

export type Code =
  | { readonly kind: 'constant'; readonly value: number | string | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'tuple'; readonly items: readonly Code[] }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Code }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Code; readonly right: Code }
  /** `a <= b < c`: one operator less than operands. */
  | { readonly kind: 'compare'; readonly operators: readonly string[]; readonly operands: readonly Code[] }
  | { readonly kind: 'choice'; readonly test: Code; readonly yes: Code; readonly no: Code }
  | { readonly kind: 'index'; readonly of: Code; readonly at: Code }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Code[] };

interface Token {
  readonly kind: 'number' | 'string' | 'word' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
}

const TOKEN =
  /(?<blank>[ \t\r\f]+|\\\s*?\n|\\\s*$|#[^\n]*)|(?<line>[\n;])|(?<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(?<word>[A-Za-z_]\w*)|(?<sign>\*\*=?|\/\/=?|<<=?|>>=?|[-+*/%&|^<>=!]=|[-+*/%&|^<>=~()[\],.:{}@])/y;

/** How tightly two-sided operators bind; comparisons and `not`, `and`, `or` are looser than all of them. */
const BINDING: readonly (readonly string[])[] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '//', '%']];
const COMPARISONS = new Set(['==', '!=', '<', '>', '<=', '>=', 'in', 'is']);
/** Statements and words of Python that are not among them. */
const PYTHON = new Set(
  'import from if for while def class try with return global nonlocal del raise yield lambda async await'.split(' '),
);
const ASSIGNMENT = /^(?:\*\*|\/\/|<<|>>|[-+*/%&|^])?=$/;

/**
 * @param line of the script where the code begins
 * @throws ScriptSyntaxError
 */
export function parseCode(name: string, line: number, code: string): Statement[] {
  const parser = new CodeParser(name, line, code);
  const statements: Statement[] = [];
  for (let next = parser.statement(); next !== undefined; next = parser.statement()) statements.push(next);
  return statements;
}

class CodeParser {
  readonly #name: string;
  readonly #line: number;
  readonly #code: string;
  readonly #tokens: Token[] = [];
  #next = 0;

  constructor(name: string, line: number, code: string) {
    this.#name = name;
    this.#line = line;
    this.#code = code;
    this.#tokenize();
  }

  statement(): Statement | undefined {
    while (this.#peek().text === '\n') this.#next++;
    const first = this.#peek();
    if (first.kind === 'end') return undefined;
    const statement = this.#simple(first);
    if (this.#peek().kind !== 'end') this.#must('\n', 'the end of the statement');
    return statement;
  }

  #simple(first: Token): Statement {
    if (first.kind === 'word' && PYTHON.has(first.text)) throw this.#python(first, `\`${first.text}\``);
    if (this.#takes('assert')) {
      const test = this.#expression();
      const end = this.#peek().at;
      const message = this.#takes(',') ? this.#expression() : undefined;
      const text = this.#code.slice(first.at, end).replace(/\s+/g, ' ').trim();
      return { kind: 'assert', test, message, text };
    }
    const second = this.#tokens[this.#next + 1];
    if (first.kind === 'word' && second !== undefined && ASSIGNMENT.test(second.text)) {
      this.#next += 2;
      return { kind: 'assign', name: first.text, operator: second.text.slice(0, -1), value: this.#tuple() };
    }
    if (first.text === 'pass') {
      this.#next++;
      return { kind: 'expression', value: { kind: 'constant', value: null } };
    }
    return { kind: 'expression', value: this.#tuple() };
  }

  /** `a, b`, or one expression. */
  #tuple(): Code {
    const first = this.#expression();
    if (this.#peek().text !== ',') return first;
    const items = [first];
    while (this.#takes(',')) {
      if (this.#peek().text === ')' || this.#peek().text === '\n' || this.#peek().kind === 'end') break;
      items.push(this.#expression());
    }
    return { kind: 'tuple', items };
  }

  #expression(): Code {
    const yes = this.#or();
    if (!this.#takes('if')) return yes;
    const test = this.#or();
    this.#must('else', '`else`');
    return { kind: 'choice', test, yes, no: this.#expression() };
  }

  #or(): Code {
    let left = this.#and();
    while (this.#takes('or')) left = { kind: 'binary', operator: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Code {
    let left = this.#not();
    while (this.#takes('and')) left = { kind: 'binary', operator: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Code {
    return this.#takes('not') ? { kind: 'unary', operator: 'not', of: this.#not() } : this.#comparison();
  }

  #comparison(): Code {
    const operands = [this.#operators(0)];
    const operators: string[] = [];
    for (let operator = this.#comparisonSign(); operator !== undefined; operator = this.#comparisonSign()) {
      operators.push(operator);
      operands.push(this.#operators(0));
    }
    return operators.length === 0 ? (operands[0] as Code) : { kind: 'compare', operators, operands };
  }

  #comparisonSign(): string | undefined {
    if (this.#peek().text === 'not' && this.#tokens[this.#next + 1]?.text === 'in') {
      this.#next += 2;
      return 'not in';
    }
    const { text, kind } = this.#peek();
    if (kind === 'string' || !COMPARISONS.has(text)) return undefined;
    this.#next++;
    return text === 'is' && this.#takes('not') ? 'is not' : text;
  }

  #operators(level: number): Code {
    const signs = BINDING[level];
    if (signs === undefined) return this.#unary();
    let left = this.#operators(level + 1);
    for (let { text, kind } = this.#peek(); kind === 'sign' && signs.includes(text); { text, kind } = this.#peek()) {
      this.#next++;
      left = { kind: 'binary', operator: text, left, right: this.#operators(level + 1) };
    }
    return left;
  }

  #unary(): Code {
    for (const operator of ['-', '+', '~']) {
      if (this.#takes(operator)) return { kind: 'unary', operator, of: this.#unary() };
    }
    const base = this.#primary();
    return this.#takes('**') ? { kind: 'binary', operator: '**', left: base, right: this.#unary() } : base;
  }

  #primary(): Code {
    let found = this.#atom();
    while (this.#takes('[')) {
      found = { kind: 'index', of: found, at: this.#expression() };
      if (this.#peek().text === ':') throw this.#python(this.#peek(), 'a slice');
      this.#must(']', '`]`');
    }
    if (this.#peek().text === '.') throw this.#python(this.#peek(), 'an attribute');
    return found;
  }

  #atom(): Code {
    const token = this.#peek();
    this.#next++;
    if (token.kind === 'number') return { kind: 'constant', value: Number(token.text) };
    if (token.kind === 'string') return { kind: 'constant', value: this.#strings(token) };
    if (token.text === '(' || token.text === '[') return this.#brackets(token.text === '(' ? ')' : ']');
    if (token.text === '{') throw this.#python(token, 'a dictionary or a set');
    if (token.kind !== 'word') throw this.#error(token, 'expected a value');
    if (PYTHON.has(token.text)) throw this.#python(token, `\`${token.text}\``);
    if (this.#peek().kind === 'string' && /^[bfru]{1,2}$/i.test(token.text)) throw this.#python(token, 'such a string');
    if (token.text === 'True' || token.text === 'False') return { kind: 'constant', value: token.text === 'True' };
    if (token.text === 'None') return { kind: 'constant', value: null };
    if (!this.#takes('(')) return { kind: 'name', name: token.text };
    const args: Code[] = [];
    while (!this.#takes(')')) {
      args.push(this.#expression());
      if (this.#peek().text !== ')') this.#must(',', '`,` or `)`');
    }
    return { kind: 'call', name: token.text, args };
  }

  /** Strings side by side are one. */
  #strings(first: Token): string {
    let text = plain(first.text);
    while (this.#peek().kind === 'string') {
      text += plain(this.#peek().text);
      this.#next++;
    }
    return text;
  }

  #brackets(end: string): Code {
    const items: Code[] = [];
    let commas = 0;
    while (!this.#takes(end)) {
      items.push(this.#expression());
      if (this.#peek().text === 'for') throw this.#python(this.#peek(), 'a comprehension');
      if (this.#takes(',')) commas++;
      else if (this.#peek().text !== end) throw this.#error(this.#peek(), `expected \`${end}\``);
    }
    return end === ')' && commas === 0 && items.length === 1 ? (items[0] as Code) : { kind: 'tuple', items };
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #takes(text: string): boolean {
    const token = this.#peek();
    if (token.kind === 'string' || token.text !== text) return false;
    this.#next++;
    return true;
  }

  #must(text: string, what: string): void {
    if (!this.#takes(text)) throw this.#error(this.#peek(), `expected ${what}`);
  }

  #lineOf(token: Token): number {
    return this.#line + this.#code.slice(0, token.at).split('\n').length - 1;
  }

  #python(token: Token, what: string): PythonFeature {
    return new PythonFeature(`${what} in the code block of line ${this.#lineOf(token)}, without python3`);
  }

  #error(token: Token, what: string): ScriptSyntaxError {
    const line = this.#lineOf(token);
    const found = token.kind === 'end' ? 'the end of the code' : JSON.stringify(token.text);
    return new ScriptSyntaxError(`${this.#name}:${line}: in the code block: ${what}, found ${found}`);
  }

  /** Line ends count, but not within brackets. */
  #tokenize(): void {
    let depth = 0;
    for (let at = 0; at < this.#code.length; ) {
      TOKEN.lastIndex = at;
      const groups = TOKEN.exec(this.#code)?.groups;
      if (groups === undefined) {
        const wrong: Token = { kind: 'sign', text: this.#code[at] as string, at };
        throw this.#error(wrong, 'this is no Python that scripts use');
      }
      const [kind, text] = Object.entries(groups).find(([, value]) => value !== undefined) as [string, string];
      if (kind === 'line') {
        if (depth === 0) this.#tokens.push({ kind: 'sign', text: '\n', at });
      } else if (kind !== 'blank') {
        if (text === '(' || text === '[') depth++;
        if (text === ')' || text === ']') depth--;
        this.#tokens.push({ kind: kind as Token['kind'], text, at });
      }
      at = TOKEN.lastIndex;
    }
    this.#tokens.push({ kind: 'end', text: '', at: this.#code.length });
  }
}

function plain(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter === 't' ? '\t' : letter));
}
