/** What connections and listeners of every kind have in common: Go's net.Conn and net.Listener. */
import type { Addr } from './op-error.ts';

export interface WaitOptions {
  /** Ends the waiting: the call fails with `operation was canceled`, the connection stays as it is. */
  readonly signal?: AbortSignal | undefined;
}

/** What bytes come from. */
export interface Reader {
  /** Fills `into` from its start. @returns the number of bytes; null at the end */
  read(into: Uint8Array, options?: WaitOptions): Promise<number | null>;
}

/** Where bytes go. */
export interface Writer {
  /** Takes all bytes, or fails. @returns how many */
  write(bytes: Uint8Array, options?: WaitOptions): Promise<number>;
}

/** A stream connection (Go: net.Conn): TCPConn, PipeConn, or one of your own. */
export interface Conn extends Reader, Writer {
  close(): void;
  localAddr(): Addr;
  remoteAddr(): Addr;
  setDeadline(deadline: Date | number | null): void;
  setReadDeadline(deadline: Date | number | null): void;
  setWriteDeadline(deadline: Date | number | null): void;
}

/** What hands out connections (Go: net.Listener). */
export interface Listener {
  accept(options?: WaitOptions): Promise<Conn>;
  close(): void;
  addr(): Addr;
}

/** What is wrong with a signal that was given; undefined: nothing. */
export function wrongSignal(caller: string, signal: unknown): TypeError | undefined {
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (signal === undefined || (typeof aborted === 'boolean' && typeof addEventListener === 'function'))
    return undefined;
  return new TypeError(`${caller}: signal must be an AbortSignal, got ${signal === null ? 'null' : typeof signal}`);
}
