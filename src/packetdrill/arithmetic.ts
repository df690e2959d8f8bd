/** Integers as a shell reckons with them in `$((...))`. */
import { UnsupportedFeature } from './errors.ts';

export class Arithmetic {
  readonly #text: string;
  readonly #words: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#words = text.match(/0x[0-9a-fA-F]+|\d+|\S/g) ?? [];
  }

  /** @throws UnsupportedFeature for more than numbers, + - * / % and brackets */
  value(): number {
    const value = this.#sum();
    if (this.#at < this.#words.length) throw this.#unsupported();
    return value;
  }

  #sum(): number {
    let value = this.#product();
    while (this.#words[this.#at] === '+' || this.#words[this.#at] === '-') {
      value += this.#words[this.#at++] === '+' ? this.#product() : -this.#product();
    }
    return value;
  }

  #product(): number {
    let value = this.#factor();
    for (;;) {
      const sign = this.#words[this.#at];
      if (sign !== '*' && sign !== '/' && sign !== '%') return value;
      this.#at++;
      const factor = this.#factor();
      value = sign === '*' ? value * factor : sign === '/' ? Math.trunc(value / factor) : value % factor;
    }
  }

  #factor(): number {
    const word = this.#words[this.#at++];
    if (word === '-') return -this.#factor();
    if (word === '(') {
      const value = this.#sum();
      if (this.#words[this.#at++] !== ')') throw this.#unsupported();
      return value;
    }
    const value = Number(word ?? '?');
    if (Number.isNaN(value)) throw this.#unsupported();
    return value;
  }

  #unsupported(): UnsupportedFeature {
    return new UnsupportedFeature(`the arithmetic $((${this.#text}))`);
  }
}
