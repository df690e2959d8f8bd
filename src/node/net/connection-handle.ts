/** What a socket needs of the connection under it: one of ours, or one of the machine's (a path). */
import type { AddressInfo } from './end-name.ts';

/** What a call will be told; `status` is 0 or -errno. */
export type Done = (status: number) => void;

/** Probes of a silent connection. Seconds; `delay` of 0: as it is. */
export interface KeepAlive {
  readonly enable: boolean;
  readonly delay: number;
  readonly interval: number | undefined;
  readonly count: number | undefined;
}

/** Whom a handle tells what came. */
export interface StreamOwner {
  /** Where the next bytes shall be put; undefined: into memory that is then the owner's. */
  readonly readBuffer: Uint8Array | undefined;
  /** The first `count` of `bytes` have come. @returns false: no more for now */
  received(bytes: Uint8Array, count: number): boolean;
  /** The peer's stream is at its end. */
  ended(): void;
  /** Reading failed. @param status -errno */
  failed(status: number): void;
}

export interface ConnectionHandle {
  owner: StreamOwner | undefined;
  readonly bytesRead: number;
  /** Bytes handed over, whether they are taken or not. */
  readonly bytesWritten: number;
  /** Bytes that wait until they are taken. */
  readonly writeQueueSize: number;
  readonly reading: boolean;
  /** From now on the owner is told of what comes. */
  readStart(): void;
  readStop(): void;
  /**
   * Hands bytes over, one write at a time. @returns their number; 0 or more, but less: `done` is told when all were taken; or -errno, and it will not
   */
  write(list: readonly Uint8Array[], bytes: number, done: Done): number;
  /** Ends our stream. @returns 0 or -errno */
  shutdown(): number;
  /** What waits is cancelled, and told so before `done` is called. */
  close(done?: () => void): void;
  /** As `close`, with a RST. */
  reset(done?: () => void): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(wanted: KeepAlive): void;
  /** IP's octet of Diffserv and ECN. */
  setTypeOfService(tos: number): void;
  typeOfService(): number | undefined;
  ref(): void;
  unref(): void;
  /** Our end; undefined: there is none yet. */
  localName(): AddressInfo | undefined;
  /** The peer's end; undefined: there is none. */
  peerName(): AddressInfo | undefined;
}
