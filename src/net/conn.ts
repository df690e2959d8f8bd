/** What connections and listeners of every kind have in common: Go's net.Conn and net.Listener. */
import { isDetached, shown, wrongNames } from '../arguments.ts';
import type { Addr } from './op-error.ts';

const WAIT_NAMES: readonly (keyof WaitOptions)[] = ['signal'];

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

/** What is wrong with the options of a call that waits; undefined: nothing. */
export function wrongWait(caller: string, options: WaitOptions | undefined): TypeError | undefined {
  if (options === undefined) return undefined;
  return wrongNames(caller, options, WAIT_NAMES) ?? wrongSignal(caller, options.signal);
}

/** What is wrong with memory to read into or to write from; undefined: nothing. */
export function wrongBytes(what: string, bytes: unknown): TypeError | undefined {
  if (!(bytes instanceof Uint8Array))
    return new TypeError(
      `${what} must be a Uint8Array, got ${typeof bytes === 'string' ? 'a string (encode it with TextEncoder)' : shown(bytes)}`,
    );
  return isDetached(bytes) ? new TypeError(`${what}: its memory was given away`) : undefined;
}

/** What is wrong with a signal that was given; undefined: nothing. */
export function wrongSignal(caller: string, signal: unknown): TypeError | undefined {
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (signal === undefined || (typeof aborted === 'boolean' && typeof addEventListener === 'function'))
    return undefined;
  return new TypeError(`${caller}: signal must be an AbortSignal, got ${shown(signal)}`);
}
