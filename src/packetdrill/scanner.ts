/**
 * Reads a script character by character: blank space and comments are skipped, and each rule of the grammar asks for the pattern that it
 * expects at its place. (Words mean different things in different places: `.` is a flag here and a time there.)
 */
import { ScriptSyntaxError } from './errors.ts';

const BLANK = /(?:\s+|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)*/y;

export class Scanner {
  readonly #name: string;
  readonly #text: string;
  #at = 0;

  constructor(name: string, text: string) {
    this.#name = name;
    this.#text = text;
  }

  /** Where the next word begins; set it to go back. */
  get place(): number {
    this.#skip();
    return this.#at;
  }

  set place(at: number) {
    this.#at = at;
  }

  get atEnd(): boolean {
    this.#skip();
    return this.#at >= this.#text.length;
  }

  /** The line of a place, counted from 1. */
  lineOf(place: number): number {
    let line = 1;
    for (let at = this.#text.indexOf('\n'); at >= 0 && at < place; at = this.#text.indexOf('\n', at + 1)) line++;
    return line;
  }

  get line(): number {
    return this.lineOf(this.place);
  }

  /** What was read since a place, on one line and without comments. */
  textSince(place: number): string {
    return this.#text
      .slice(place, this.#at)
      .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|#[^\n]*/g, '')
      .replace(/\s+/g, ' ')
      .trim();
  }

  /** Takes what the sticky pattern (flag `y`) matches; undefined: it does not match here. */
  take(pattern: RegExp): string | undefined {
    this.#skip();
    return this.takeHere(pattern);
  }

  /** As `take`, with no blank space before it. */
  takeHere(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    return found;
  }

  /** Whether the pattern matches here; nothing is taken. */
  sees(pattern: RegExp): boolean {
    this.#skip();
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  /** Takes exactly this text. */
  takes(text: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** @throws ScriptSyntaxError when the text is not here */
  must(text: string): void {
    if (!this.takes(text)) throw this.error(`expected \`${text}\``);
  }

  /** @throws ScriptSyntaxError saying that `what` was expected */
  mustTake(pattern: RegExp, what: string): string {
    const found = this.take(pattern);
    if (found === undefined) throw this.error(`expected ${what}`);
    return found;
  }

  /** Everything up to `end`, which is taken too. @throws ScriptSyntaxError when the script ends before */
  until(end: string, what: string): string {
    const stop = this.#text.indexOf(end, this.#at);
    if (stop < 0) throw this.error(`${what} has no end: \`${end}\` is missing`);
    const found = this.#text.slice(this.#at, stop);
    this.#at = stop + end.length;
    return found;
  }

  /** An error that says what is here. */
  error(what: string, place: number = this.place): ScriptSyntaxError {
    const rest = this.#text.slice(place).split('\n', 1)[0] as string;
    const found = place >= this.#text.length ? 'the end of the script' : `\`${rest.trimEnd().slice(0, 60)}\``;
    return new ScriptSyntaxError(`${this.#name}:${this.lineOf(place)}: ${what}, found ${found}`);
  }

  #skip(): void {
    BLANK.lastIndex = this.#at;
    this.#at += (BLANK.exec(this.#text) as RegExpExecArray)[0].length;
  }
}
