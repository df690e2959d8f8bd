/**
 * A signal for which a program has no listener ends it at once, without an `exit` event. So that its peers are told all the same, there is a listener
 * of ours while the program has none of its own: it takes leave, and lets the signal do what it would have done.
 */
import type { EventEmitter } from 'node:events';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is used of `process`. */
export interface SignalledProcess extends EventEmitter {
  readonly pid: number;
  kill(pid: number, signal: string): unknown;
}

/** Calls `leave` before a signal ends the program; not when the program has a listener, for which the signal is then. */
export function beforeSignal(program: SignalledProcess, leave: () => void): void {
  for (const signal of SIGNALS) watch(program, signal, leave);
}

function watch(program: SignalledProcess, signal: string, leave: () => void): void {
  let ending = false;
  const last = () => {
    ending = true;
    program.off(signal, last);
    leave();
    program.kill(program.pid, signal);
  };
  // Who counts the listeners, to know whether the signal is theirs alone, shall not find ours beside them.
  // It comes before Node's own, which then listens to the signal anew: else nobody would.
  program.prependListener('newListener', (name: string, listener: () => void) => {
    if (name === signal && listener !== last) program.off(signal, last);
  });
  program.on('removeListener', (name: string, listener: () => void) => {
    if (name === signal && listener !== last && !ending && program.listenerCount(signal) === 0)
      program.on(signal, last);
  });
  program.on(signal, last);
}
