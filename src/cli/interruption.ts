/** Signals that end a command, in two steps: the first asks it to tidy up and end, the second ends it. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long the tidying may take, ms. */
const PATIENCE = 2000;
/** Within this time a second signal is the first again, ms: some versions of npm pass on what the terminal has sent us already. */
const ECHO = 200;

export class Interruption {
  /** The exit status that the signal asks for; undefined: none came. */
  status: number | undefined;
  readonly #controller = new AbortController();
  readonly #ctrlC: number;
  #stoppedAt = 0;

  /** `ctrlC`: the exit status for SIGINT, 0 where Ctrl-C is the way to end; other signals give 128 and their number. */
  constructor(ctrlC: number) {
    this.#ctrlC = ctrlC;
    for (const name of SIGNALS) process.on(name, this.#interrupt);
    process.stdout.on('error', this.#outputLost);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Signals are the system's again. */
  end(): void {
    for (const name of SIGNALS) process.off(name, this.#interrupt);
  }

  readonly #interrupt = (name: (typeof SIGNALS)[number]): void => {
    const byNumber = 128 + constants.signals[name];
    if (this.status !== undefined) {
      if (performance.now() - this.#stoppedAt > ECHO) process.exit(byNumber);
      return;
    }
    this.#stop(name === 'SIGINT' ? this.#ctrlC : byNumber);
  };

  /** Whoever read the output is gone (`npm start | head`), or the terminal is. */
  readonly #outputLost = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    if (this.status === undefined) this.#stop(0);
  };

  #stop(status: number): void {
    this.status = status;
    this.#stoppedAt = performance.now();
    this.#controller.abort();
    setTimeout(() => process.exit(status), PATIENCE).unref();
  }
}
