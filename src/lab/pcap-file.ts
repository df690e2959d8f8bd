/** A file that packets are written to, in blocks; what is in memory when the process is killed is lost, and nothing else is. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { LabError } from './lab-error.ts';

const BLOCK = 64 << 10;
/** How long bytes wait in memory at most, ms. */
const DELAY = 200;

export class PcapFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #failure: string | undefined;
  readonly #failed: (message: string) => void;

  /**
   * Makes the file, or empties it. `failed` is told, once, when it cannot be written any more: no space is left, for instance.
   * @throws LabError when it cannot be made
   */
  constructor(path: string, failed: (message: string) => void) {
    this.#path = path;
    this.#failed = failed;
    try {
      this.#fd = openSync(path, 'w');
    } catch (error) {
      throw new LabError(`cannot write the packets to ${path}: ${(error as Error).message}`, { cause: error });
    }
    this.#timer = setInterval(() => this.#flush(), DELAY);
    this.#timer.unref();
  }

  readonly write = (bytes: Uint8Array): void => {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= BLOCK) this.#flush();
  };

  close(): void {
    this.#flush();
    clearInterval(this.#timer);
    closeSync(this.#fd);
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    if (this.#failure !== undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      this.#failure = `no more packets are written to ${this.#path}: ${(error as Error).message}`;
      this.#failed(this.#failure);
    }
  }
}
