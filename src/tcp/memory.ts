/** The memory of a stack's TCP and its bounds, as Linux's tcp_mem: what the slab has given out, in pages. */
import type { Slab } from '../link/slab.ts';
import type { TcpConfig } from './config.ts';
import type { TcpCounters } from './counters.ts';

/** Pages of 4 KiB that a chunk counts as. */
const CHUNK_PAGES = 16;

export class TcpMemory {
  readonly #slab: Slab;
  readonly #config: TcpConfig;
  readonly #counters: TcpCounters;
  #pressed = false;

  constructor(slab: Slab, config: TcpConfig, counters: TcpCounters) {
    this.#slab = slab;
    this.#config = config;
    this.#counters = counters;
  }

  /** Pages in use. */
  get pages(): number {
    return this.#slab.live * CHUNK_PAGES;
  }

  /** Above tcp_mem[0]: send buffers do not grow. */
  get busy(): boolean {
    return this.pages >= this.#config.tcp_mem[0];
  }

  /** From tcp_mem[1] until it is below tcp_mem[0] again: windows do not grow, and no buffer does. */
  get pressure(): boolean {
    const { pages } = this;
    const { tcp_mem } = this.#config;
    if (pages > tcp_mem[1]) {
      if (!this.#pressed) this.#counters.TCPMemoryPressures++;
      this.#pressed = true;
    } else if (pages <= tcp_mem[0]) {
      this.#pressed = false;
    }
    return this.#pressed;
  }

  /** Above tcp_mem[2]: nothing more is queued, but for what a reader waits for. */
  get exhausted(): boolean {
    return this.#slab.live * CHUNK_PAGES > this.#config.tcp_mem[2];
  }
}
