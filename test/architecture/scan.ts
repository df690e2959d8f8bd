/**
 * A scanner for TypeScript, as much of it as the arrows need: what a file imports, and which names it uses. Comments, strings
 * and regular expressions are told apart from code; types and values are not.
 */

export interface Token {
  readonly kind: 'name' | 'string' | 'punctuation' | 'literal';
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface Import {
  /** What stands between the quotes; undefined: an `import(...)` of something computed. */
  readonly specifier: string | undefined;
  readonly line: number;
}

const BLANK = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const NAME = /[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const NUMBER = /\.?\d[\w.]*/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(`|\$\{)/y;

/** After these a slash divides; after anything else it begins a regular expression. */
const VALUE_END = /^[)\]}]$/;
const OPERATOR_WORDS = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'void',
  'delete',
  'throw',
  'new',
  'else',
  'do',
  'await',
]);

/** All tokens of a file, in order; the code inside `${...}` is among them. */
export function scan(text: string): Token[] {
  return new Scanner(text).run();
}

class Scanner {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** For each template literal that is open: how many braces of its `${` are. */
  readonly #templates: number[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): Token[] {
    while (this.#at < this.#text.length) this.#step();
    return this.#tokens;
  }

  #step(): void {
    if (this.#take(BLANK) !== undefined) return;
    const character = this.#text[this.#at] as string;
    if (character === "'" || character === '"') {
      this.#string();
      return;
    }
    if (character === '/' && this.#regexMayStart() && this.#push('literal', REGEX)) return;
    if (this.#push('name', NAME) || this.#push('literal', NUMBER)) return;
    if (character === '`' || this.#closesTemplateCode(character)) this.#template();
    else this.#punctuation(character);
  }

  /** Counts braces inside `${...}`; true at the one that ends it. */
  #closesTemplateCode(character: string): boolean {
    const depth = this.#templates.length - 1;
    if (depth < 0) return false;
    if (character === '{') (this.#templates[depth] as number)++;
    if (character !== '}' || --(this.#templates[depth] as number) > 0) return false;
    this.#templates.pop();
    return true;
  }

  #punctuation(character: string): void {
    this.#tokens.push({ kind: 'punctuation', text: character, line: this.#line });
    this.#at++;
  }

  /** Skips a backquote, or the brace that ends `${`, and the characters after it up to the literal's end or its next `${`. */
  #template(): void {
    const line = this.#line;
    this.#at++;
    const part = this.#take(TEMPLATE);
    if (part === undefined) throw new Error(`template literal without an end, from line ${line}`);
    this.#tokens.push({ kind: 'literal', text: '``', line });
    if (part.endsWith('${')) this.#templates.push(1);
  }

  #regexMayStart(): boolean {
    const last = this.#tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === 'punctuation') return !VALUE_END.test(last.text);
    return last.kind === 'name' && OPERATOR_WORDS.has(last.text);
  }

  #string(): void {
    if (!this.#push('string', STRING)) throw new Error(`string without an end in line ${this.#line}`);
  }

  #push(kind: Token['kind'], pattern: RegExp): boolean {
    const line = this.#line;
    const text = this.#take(pattern);
    if (text === undefined) return false;
    this.#tokens.push({ kind, text, line });
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0];
    if (text === undefined) return undefined;
    this.#at += text.length;
    for (const character of text) if (character === '\n') this.#line++;
    return text;
  }
}

/** Every `import ... from 'x'`, `export ... from 'x'`, `import 'x'`, `import('x')`, `require('x')`, types too. */
export function importsOf(tokens: readonly Token[]): Import[] {
  const imports: Import[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    if (token.kind !== 'name' || tokens[i - 1]?.text === '.') continue;
    const next = tokens[i + 1];
    const called = next?.text === '(' && next.kind === 'punctuation';
    if ((token.text === 'from' || token.text === 'import') && next?.kind === 'string') {
      imports.push({ specifier: unquote(next.text), line: next.line });
    } else if ((token.text === 'import' || token.text === 'require') && called) {
      const argument = tokens[i + 2];
      imports.push({ specifier: argument?.kind === 'string' ? unquote(argument.text) : undefined, line: token.line });
    }
  }
  return imports;
}

function unquote(text: string): string {
  return text.slice(1, -1);
}
