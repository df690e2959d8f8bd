/** What everything that is open has: `await using`, `for await`, `ref` and `unref`. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import type { WaitOptions } from '../../src/net/conn.ts';
import { pipe } from '../../src/net/pipe.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { rejection } from '../support/pair.ts';

/** A thing that is open, and a call that waits on it. */
interface Open extends AsyncDisposable {
  /** All but a host have it. */
  ref?(): unknown;
  unref?(): unknown;
}
type Make = (
  host: Host,
  clock: VirtualClock,
) => Promise<{ open: Open; wait: (options?: WaitOptions) => Promise<unknown> }>;

const connected = async (host: Host, clock: VirtualClock) => {
  const listener = await host.listen('tcp', '127.0.0.1:0');
  const both = Promise.all([host.dial('tcp', `${listener.addr()}`), listener.accept()]);
  const [dialled, accepted] = await clock.run({ until: both });
  listener.close();
  return { dialled, accepted };
};

const KINDS: Record<string, Make> = {
  'a connection': async (host, clock) => {
    const { dialled } = await connected(host, clock);
    return { open: dialled, wait: (options) => dialled.read(new Uint8Array(1), options) };
  },
  'an accepted connection': async (host, clock) => {
    const { accepted } = await connected(host, clock);
    return { open: accepted, wait: (options) => accepted.readChunk(options) };
  },
  'a connection that writes': async (host, clock) => {
    const { dialled } = await connected(host, clock);
    return { open: dialled, wait: (options) => dialled.write(new Uint8Array(50_000_000), options) };
  },
  'a listener': async (host) => {
    const listener = await host.listen('tcp', ':0');
    return { open: listener, wait: (options) => listener.accept(options) };
  },
  'a packet connection': async (host) => {
    const packets = await host.listenPacket('udp', ':0');
    return { open: packets, wait: (options) => packets.readDatagram(options) };
  },
  'a pipe': async (_host, clock) => {
    const [one] = pipe({ clock });
    return { open: one, wait: (options) => one.read(new Uint8Array(1), options) };
  },
  'a host': async (host) => {
    const listener = await host.listen('tcp', ':0');
    return { open: host, wait: (options) => listener.accept(options) };
  },
};

describe('net, lifetimes', () => {
  let clock: VirtualClock;
  let host: Host;

  beforeEach(() => {
    clock = new VirtualClock();
    host = createHost({ clock });
  });
  afterEach(async () => {
    await host.close({ timeout: 0 });
    expect(clock.pending.held, 'held').to.equal(0);
  });

  for (const [name, make] of Object.entries(KINDS)) {
    it(`${name} is closed by 'await using', once or again, and what waits fails`, async () => {
      const { open, wait } = await make(host, clock);
      const failing = rejection(wait());
      await clock.advance(1);
      const disposing = Promise.all([open[Symbol.asyncDispose](), open[Symbol.asyncDispose]()]);
      expect((await clock.run({ until: failing })).message).to.match(/closed (network connection|pipe)$/);
      await clock.run({ until: disposing });
      await clock.run({ until: Promise.resolve(open[Symbol.asyncDispose]()) });
      expect((await clock.run({ until: rejection(wait()) })).message).to.match(/closed (network connection|pipe)$/);
    });

    it(`${name}: what waits holds the process, unless it is unref`, async () => {
      const { open, wait } = await make(host, clock);
      const controller = new AbortController();
      const failing = rejection(wait({ signal: controller.signal }));
      await clock.advance(1);
      expect(clock.pending.held).to.equal(1);
      if (open.unref === undefined || open.ref === undefined) expect(open).to.equal(host);
      else {
        open.unref();
        expect(clock.pending.held, 'unref').to.equal(0);
        open.ref();
        expect(clock.pending.held, 'ref').to.equal(1);
        open.unref();
      }
      controller.abort();
      await failing;
      expect(clock.pending.held, 'settled').to.equal(0);
      if (open.unref === undefined) return;
      const again = rejection(wait());
      await clock.advance(1);
      expect(clock.pending.held, 'waits after unref').to.equal(0);
      await open[Symbol.asyncDispose]();
      await again;
    });
  }

  it('loops end with the stream, or with the listener; a datagram is a turn', async () => {
    const { dialled, accepted } = await connected(host, clock);
    const got: string[] = [];
    const chunks = (async () => {
      for await (const chunk of accepted) got.push(`${chunk}`);
    })();
    await dialled.write(Uint8Array.of(1, 2));
    await clock.advance(1);
    dialled.close();
    await clock.run({ until: chunks });
    expect(got).to.deep.equal(['1,2']);

    const listener = await host.listen('tcp', '127.0.0.1:0');
    const accepting = (async () => {
      for await (const conn of listener) {
        got.push('accepted');
        conn.close();
        listener.close();
      }
    })();
    const conn = await clock.run({ until: host.dial('tcp', `${listener.addr()}`) });
    await clock.run({ until: accepting });
    conn.close();

    const packets = await host.listenPacket('udp', '127.0.0.1:0');
    const reading = (async () => {
      for await (const { data } of packets) {
        got.push(`datagram ${data}`);
        packets.close();
      }
    })();
    await packets.writeTo(Uint8Array.of(7), packets.localAddr());
    await clock.run({ until: reading });
    expect(got).to.deep.equal(['1,2', 'accepted', 'datagram 7']);
  });
});
