/** A path of the machine (a Unix domain socket) under a socket of ours: `socket.connect('/run/some.sock')`. Node's own does it. */

import { EINVAL } from '../../socket/errno.ts';
import type { ConnectionHandle, Done, StreamOwner } from './connection-handle.ts';
import type { AddressInfo } from './end-name.ts';
import { machineNet } from './machine.ts';

/** What Node's errors carry; some that are no call's do not. */
const statusOf = (error: Error): number => (error as { errno?: number }).errno ?? -EINVAL;

export class PathHandle implements ConnectionHandle {
  owner: StreamOwner | undefined;
  readonly #machine = new machineNet.Socket({ allowHalfOpen: true });
  #reading = false;
  #closed = false;

  constructor() {
    this.#machine.pause();
    this.#machine.on('data', (bytes: Buffer) => this.#received(bytes));
    this.#machine.on('end', () => this.#unlessClosed(() => this.owner?.ended()));
  }

  /** `done` is told the outcome. */
  connect(path: string, done: Done): void {
    const failed = (error: Error) => done(statusOf(error));
    this.#machine.once('error', failed);
    this.#machine.connect(path, () => {
      this.#machine.off('error', failed);
      this.#machine.on('error', (error) => this.#unlessClosed(() => this.owner?.failed(statusOf(error))));
      done(0);
    });
  }

  get bytesRead(): number {
    return this.#machine.bytesRead;
  }

  get bytesWritten(): number {
    return this.#machine.bytesWritten;
  }

  get writeQueueSize(): number {
    return this.#machine.writableLength;
  }

  get reading(): boolean {
    return this.#reading;
  }

  readStart(): void {
    this.#reading = true;
    this.#machine.resume();
  }

  readStop(): void {
    this.#reading = false;
    this.#machine.pause();
  }

  write(list: readonly Uint8Array[], _bytes: number, done: Done): number {
    this.#machine.cork();
    for (const bytes of list.slice(0, -1)) this.#machine.write(bytes);
    this.#machine.write(list.at(-1) ?? new Uint8Array(0), (error) => done(error ? statusOf(error) : 0));
    this.#machine.uncork();
    return -0;
  }

  shutdown(): number {
    this.#machine.end();
    return 0;
  }

  close(done?: () => void): void {
    this.#closed = true;
    this.#machine.once('close', () => done?.());
    this.#machine.destroy();
  }

  reset(done?: () => void): void {
    this.close(done);
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}

  setTypeOfService(): void {}

  typeOfService(): undefined {}

  ref(): void {
    this.#machine.ref();
  }

  unref(): void {
    this.#machine.unref();
  }

  localName(): AddressInfo | undefined {
    return undefined;
  }

  peerName(): AddressInfo | undefined {
    return undefined;
  }

  #received(bytes: Buffer): void {
    const into = this.owner?.readBuffer;
    if (into === undefined) {
      if (this.owner?.received(bytes, bytes.length) === false) this.readStop();
      return;
    }
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + into.length);
      into.set(part);
      at += part.length;
      if (this.owner?.received(into, part.length) === false) this.readStop();
    }
  }

  #unlessClosed(call: () => void): void {
    if (!this.#closed) call();
  }
}
