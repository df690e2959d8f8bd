/** Where go-scenes.ts plays: a host with nothing but its loopback, in virtual time, and words for what calls say. */
import { createHost, type Host } from '../../src/host.ts';
import { errClosed, errDeadlineExceeded, type NetError } from '../../src/net/errors.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { TCPListener } from '../../src/net/tcp-listener.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

export type Steps = (stage: Stage) => Promise<string[]>;
/** What is found in a text, and what it is called there. */
type Names = [found: string, called: string][];

/** Which error it is within the ones around it. */
function isCausedBy(error: unknown, cause: Error): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at === cause) return true;
  return false;
}

export function errorText(error: NetError, names: Names): string {
  let text = error.message;
  for (const [found, called] of names.toSorted(([a], [b]) => b.length - a.length))
    text = text.replaceAll(found, called);
  if (error.timeout) text += ' (timeout)';
  if (error.temporary) text += ' (temporary)';
  if (isCausedBy(error, errDeadlineExceeded)) text += ' (deadline)';
  if (isCausedBy(error, errClosed)) text += ' (closed)';
  return text;
}

export class Stage {
  readonly clock = new VirtualClock();
  readonly host: Host = createHost({ clock: this.clock, seed: 1 });
  names: Names = [];

  /** Calls are begun without time passing for them. */
  #begins = false;

  run<T>(until: Promise<T>): Promise<T> {
    return this.#begins ? until : this.clock.run({ until });
  }

  settle(): Promise<void> {
    return this.clock.advance(30);
  }

  /** Ms from now on the wall clock. */
  wall(ms: number): number {
    return this.clock.wallNow() + ms;
  }

  /** What a call says: `ok`, or its error. */
  async said(call: () => unknown): Promise<string> {
    try {
      await this.run(Promise.resolve(call()));
      return 'ok';
    } catch (error) {
      return errorText(error as NetError, this.names);
    }
  }

  /** What a read or a write says: how many bytes, and how it ended. */
  async counted(call: () => Promise<number | null>): Promise<string> {
    try {
      const count = await this.run(call());
      return count === null ? '0 EOF' : `${count} ok`;
    } catch (error) {
      return `${(error as { bytesWritten?: number }).bytesWritten ?? 0} ${errorText(error as NetError, this.names)}`;
    }
  }

  read(conn: { read(into: Uint8Array): Promise<number | null> }, size: number): Promise<string> {
    return this.counted(() => conn.read(new Uint8Array(size)));
  }

  write(conn: { write(bytes: Uint8Array): Promise<number> }, size: number): Promise<string> {
    return this.counted(() => conn.write(new Uint8Array(size)));
  }

  /** Writes until it fails. */
  fill(conn: TCPConn): Promise<string> {
    return this.said(async () => {
      for (;;) await conn.write(new Uint8Array(1 << 20));
    });
  }

  /** What a call says that waits while something else is done. */
  async waiting(call: () => Promise<string>, meanwhile: () => unknown): Promise<string> {
    this.#begins = true;
    const saying = call();
    this.#begins = false;
    await this.settle();
    await meanwhile();
    return this.run(saying);
  }

  async listener(): Promise<TCPListener> {
    const listener = await this.host.listenTCP('tcp', new TCPAddr('127.0.0.1', 0));
    this.names.push([`${listener.addr()}`, 'A']);
    return listener;
  }

  /** Its ends are called L and R from here on. */
  async connected(): Promise<{ dialled: TCPConn; accepted: TCPConn; socket: Socket }> {
    const listener = await this.host.listen('tcp', '127.0.0.1:0');
    let socket: Socket | undefined;
    const control = (_network: string, _address: string, made: Socket) => {
      socket = made;
    };
    const dialling = this.host.dial('tcp', `${listener.addr()}`, { control });
    const [dialled, accepted] = await this.run(Promise.all([dialling, listener.accept()]));
    this.names = [
      [`${dialled.localAddr()}`, 'L'],
      [`${dialled.remoteAddr()}`, 'R'],
    ];
    return { dialled, accepted, socket: socket as unknown as Socket };
  }

  /** An address that nobody listens on, called R. */
  async free(): Promise<string> {
    const listener = await this.host.listen('tcp4', '127.0.0.1:0');
    listener.close();
    this.names.push([`${listener.addr()}`, 'R']);
    return `${listener.addr()}`;
  }
}
