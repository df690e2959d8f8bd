/** The terminal, or whatever the output goes to: lines that stay, and below them, on a terminal, a few that change. */
import type { WriteStream } from 'node:tty';

type Out = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

export class Screen {
  readonly color: boolean;
  /** The lines below can change. */
  readonly isLive: boolean;
  readonly #out: Out;
  #table: readonly string[] = [];
  #muted = false;

  /** `color` undefined: when `out` is a terminal, and NO_COLOR is not set. */
  constructor(out: Out, color?: boolean) {
    this.#out = out;
    this.isLive = out.isTTY === true;
    this.color = color ?? (this.isLive && (process.env['NO_COLOR'] ?? '') === '');
  }

  print(...lines: readonly string[]): void {
    if (this.#muted) return;
    this.#out.write(this.#eraser() + text(lines) + text(this.#table));
  }

  /** Changes the lines below. They are cut to the terminal's width, or they could not be taken back. */
  show(lines: readonly string[]): void {
    if (!this.isLive || this.#muted) return;
    const width = this.#out.columns || 80;
    const table = lines.map((line) => line.slice(0, width - 1));
    if (table.join('\n') === this.#table.join('\n')) return;
    const eraser = this.#eraser();
    this.#table = table;
    this.#out.write(eraser + text(table));
  }

  /** Shows no more: what ends now has been told, or was stopped. */
  mute(): void {
    this.#muted = true;
  }

  /** Up to the first of the lines below, and everything from there erased. */
  #eraser(): string {
    return this.#table.length === 0 ? '' : `\u001b[${this.#table.length}A\u001b[J`;
  }
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
