/** Every call that waits takes an AbortSignal: it ends that call, leaves the rest alone, and nobody listens to it afterwards. */
import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { Buffers } from '../../src/net/buffers.ts';
import type { WaitOptions } from '../../src/net/conn.ts';
import { Dialer, ListenConfig } from '../../src/net/dialer.ts';
import { CanceledError, DialTimeoutError } from '../../src/net/errors.ts';
import { type PipeConn, pipe } from '../../src/net/pipe.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { TCPListener } from '../../src/net/tcp-listener.ts';
import type { UDPConn } from '../../src/net/udp-conn.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { rejection } from '../support/pair.ts';

/** What calls wait on: nobody answers at 10.9.0.9, and no name is ever resolved. */
interface Scene {
  readonly host: Host;
  readonly conn: TCPConn;
  readonly listener: TCPListener;
  readonly packets: UDPConn;
  readonly piped: PipeConn;
}

const FULL = new Uint8Array(50_000_000);
const endless = {
  async *[Symbol.asyncIterator]() {
    await new Promise(() => {});
    yield new Uint8Array(1);
  },
};

const CALLS: Record<string, (scene: Scene, options: WaitOptions) => Promise<unknown>> = {
  'host.dial': ({ host }, options) => host.dial('tcp', '10.9.0.9:80', options),
  'host.dial of a name': ({ host }, options) => host.dial('tcp', 'name:80', options),
  'host.dial of UDP, of a name': ({ host }, options) => host.dial('udp', 'name:80', options),
  'host.dialTCP': ({ host }, options) => host.dialTCP('tcp', undefined, new TCPAddr('10.9.0.9', 80), options),
  'host.dialTimeout': ({ host }, { signal }) => host.dialTimeout('tcp', '10.9.0.9:80', 3_600_000, signal),
  'dialer.dial': ({ host }, options) => new Dialer(host).dial('tcp', '10.9.0.9:80', options),
  'host.listen of a name': ({ host }, options) => host.listen('tcp', 'name:80', options),
  'host.listenPacket of a name': ({ host }, options) => host.listenPacket('udp', 'name:80', options),
  'config.listen of a name': ({ host }, options) => new ListenConfig(host).listen('tcp', 'name:80', options),
  'config.listenPacket of a name': ({ host }, options) =>
    new ListenConfig(host).listenPacket('udp', 'name:80', options),
  'host.lookupHost': ({ host }, options) => host.lookupHost('name', options),
  'host.resolveTCPAddr': ({ host }, options) => host.resolveTCPAddr('tcp', 'name:80', options),
  'host.resolveUDPAddr': ({ host }, options) => host.resolveUDPAddr('udp', 'name:80', options),
  'listener.accept': ({ listener }, options) => listener.accept(options),
  'conn.read': ({ conn }, options) => conn.read(new Uint8Array(1), options),
  'conn.readChunk': ({ conn }, options) => conn.readChunk(options),
  'conn.write': ({ conn }, options) => conn.write(FULL, options),
  'conn.writev': ({ conn }, options) => conn.writev([FULL, FULL], options),
  'conn.readFrom an iterable': ({ conn }, options) => conn.readFrom(endless, options),
  'conn.readFrom a connection': ({ conn, piped }, options) => conn.readFrom(piped, options),
  'conn.readFrom a stream': ({ conn }, options) => conn.readFrom(new ReadableStream(), options),
  'conn.writeTo a connection': ({ conn, piped }, options) => conn.writeTo(piped, options),
  'conn.writeTo a stream': ({ conn }, options) => conn.writeTo(new WritableStream(), options),
  'buffers.writeTo': ({ conn }, options) => new Buffers([FULL]).writeTo(conn, options),
  'packets.read': ({ packets }, options) => packets.read(new Uint8Array(1), options),
  'packets.readFrom': ({ packets }, options) => packets.readFrom(new Uint8Array(1), options),
  'packets.readDatagram': ({ packets }, options) => packets.readDatagram(options),
  'pipe.read': ({ piped }, options) => piped.read(new Uint8Array(1), options),
  'pipe.readChunk': ({ piped }, options) => piped.readChunk(options),
  'pipe.write': ({ piped }, options) => piped.write(new Uint8Array(1), options),
};

describe('net, signals', () => {
  let clock: VirtualClock;
  let scene: Scene;
  let others: Host;

  beforeEach(async () => {
    clock = new VirtualClock();
    const [near, far] = createPipe();
    const resolver = { lookupHost: () => new Promise<never>(() => {}) };
    const host = createHost({ link: near, address: '10.9.0.1/24', clock, resolver });
    others = createHost({ link: far, address: '10.9.0.2/24', clock });
    const there = await others.listen('tcp', ':80');
    const [conn] = await clock.run({ until: Promise.all([host.dial('tcp', '10.9.0.2:80'), there.accept()]) });
    const listener = await host.listen('tcp', ':80');
    scene = { host, conn, listener, packets: await host.listenPacket('udp', ':80'), piped: pipe({ clock })[0] };
  });

  afterEach(async () => {
    scene.piped.close();
    await Promise.all([scene.host.close({ timeout: 0 }), others.close({ timeout: 0 })]);
    expect(clock.pending.held, 'held').to.equal(0);
  });

  /** Which of ours is the cause, and what it was caused by. */
  const cause = (error: Error): Error | undefined => {
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      if (at instanceof CanceledError || at instanceof DialTimeoutError) return at;
    return undefined;
  };

  for (const [name, call] of Object.entries(CALLS)) {
    it(`${name} is ended by its signal, which is let go of`, async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const reason = new Error('enough');
      const failing = rejection(call(scene, { signal }));
      await clock.advance(5);
      expect(getEventListeners(signal, 'abort').length, 'listeners').to.be.greaterThan(0);
      controller.abort(reason);
      const error = await clock.run({ until: failing });
      expect(cause(error)).to.be.instanceOf(CanceledError);
      expect(cause(error)?.cause).to.equal(reason);
      expect(getEventListeners(signal, 'abort').length, 'listeners').to.equal(0);
    });

    it(`${name} is not begun with a signal that was aborted`, async () => {
      const error = await clock.run({ until: rejection(call(scene, { signal: AbortSignal.abort('over') })) });
      expect(cause(error)?.cause).to.equal('over');
    });

    it(`${name} lets go of its signal when it ends otherwise`, async () => {
      const { signal } = new AbortController();
      const ending = call(scene, { signal }).catch(() => {});
      await clock.advance(5);
      scene.piped.close();
      await Promise.all([scene.host.close({ timeout: 0 }), clock.advance(5)]);
      // What is copied from, or to, is nobody's but its maker's.
      if (/an iterable|a stream/.test(name)) return;
      await clock.run({ until: ending });
      expect(getEventListeners(signal, 'abort').length).to.equal(0);
    });
  }
});
