import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { Dialer, ListenConfig } from '../../src/net/dialer.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { UDPAddr } from '../../src/net/udp-addr.ts';
import { IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPIDLE } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { connectedHosts, type Pair, rejection } from '../support/pair.ts';

describe('net/dialer', () => {
  let pair: Pair;
  let client: Host;

  beforeEach(() => {
    pair = connectedHosts();
    ({ client } = pair);
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  const fail = async (promise: Promise<unknown>) => (await pair.run(rejection(promise))) as OpError;

  describe('Dialer', () => {
    it('dials with its fields, as they are at that time', async () => {
      const listener = await pair.server.listen('tcp', '10.9.0.2:80');
      const dialer = new Dialer(client, { localAddr: new TCPAddr('10.9.0.1', 5000), timeout: 1000 });
      const conn = await pair.run(dialer.dial('tcp', '10.9.0.2:80'));
      expect(`${conn.localAddr()}`).to.equal('10.9.0.1:5000');
      dialer.localAddr = new TCPAddr('10.9.0.1', 5001);
      expect(`${(await pair.run(dialer.dial('tcp', '10.9.0.2:80'))).localAddr()}`).to.equal('10.9.0.1:5001');
      dialer.timeout = -1;
      expect((await fail(dialer.dial('tcp', '10.9.0.2:80'))).message).to.equal(
        'dial tcp 10.9.0.1:5001->10.9.0.2:80: i/o timeout',
      );
      listener.close();
    });

    it('has every field of its own take effect', async () => {
      await pair.server.listen('tcp', '10.9.0.2:80');
      let socket: Socket | undefined;
      const resolver = { lookupHost: async () => [IpAddress.parse('10.9.0.2') as IpAddress] };
      const dialer = new Dialer(client, {
        resolver,
        keepAlive: 5000,
        control: (_network, _address, made) => {
          socket = made as Socket;
        },
      });
      const conn = await pair.run(dialer.dial('tcp', 'anything.example:80'));
      expect(`${conn.remoteAddr()}`).to.equal('10.9.0.2:80');
      expect(socket?.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE)).to.equal(5);
      dialer.keepAliveConfig = { enable: true, idle: 7000 };
      await pair.run(dialer.dial('tcp', 'anything.example:80'));
      expect(socket?.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE)).to.equal(7);
      dialer.deadline = pair.clock.wallNow();
      expect((await fail(dialer.dial('tcp', '10.9.0.2:80'))).message).to.equal('dial tcp 10.9.0.2:80: i/o timeout');
    });

    it('hands its fallback delay on', async () => {
      const asked: unknown[] = [];
      const host = { dial: async (...args: unknown[]) => void asked.push(args) };
      await new Dialer(host as never, { fallbackDelay: 77 }).dial('tcp', 'x:1');
      expect((asked[0] as [string, string, object])[2]).to.include({ fallbackDelay: 77 });
    });

    it('takes a signal for one dial', async () => {
      const dialer = new Dialer(client);
      const controller = new AbortController();
      const dialling = fail(dialer.dial('tcp', '10.9.0.77:80', { signal: controller.signal }));
      controller.abort();
      expect((await dialling).message).to.equal('dial tcp 10.9.0.77:80: operation was canceled');
    });

    it('dials UDP', async () => {
      const dialer = new Dialer(client, { localAddr: new UDPAddr('10.9.0.1', 5000) });
      const conn = await dialer.dial('udp', '10.9.0.2:53');
      expect(`${conn.localAddr()}->${conn.remoteAddr()}`).to.equal('10.9.0.1:5000->10.9.0.2:53');
      expect((await fail(dialer.dial('tcp', '10.9.0.2:80'))).message).to.equal(
        'dial tcp: address 10.9.0.1:5000: mismatched local address type',
      );
    });

    it('needs a host, and fields that there are', async () => {
      for (const wrong of [undefined, null, {}, 'host'])
        expect(() => new Dialer(wrong as never)).to.throw(TypeError, 'Dialer: host must be a Host');
      expect(() => new Dialer(client, { timeOut: 5 } as never)).to.throw(
        TypeError,
        'Dialer: there is no option timeOut',
      );
      const wrong = new Dialer(client, { resolver: {} as never });
      expect((await fail(wrong.dial('tcp', '10.9.0.2:80'))).message).to.match(/resolver must be an object/);
    });
  });

  describe('ListenConfig', () => {
    it('listens with its fields', async () => {
      const seen: string[] = [];
      const config = new ListenConfig(pair.server, {
        keepAlive: -1,
        backlog: 0,
        control: (network, address) => void seen.push(`${network} ${address}`),
      });
      const listener = await config.listen('tcp', '10.9.0.2:80');
      await config.listenPacket('udp', '10.9.0.2:53');
      expect(seen).to.deep.equal(['tcp4 10.9.0.2:80', 'udp4 10.9.0.2:53']);
      const [, accepted] = await pair.run(Promise.all([client.dial('tcp', '10.9.0.2:80'), listener.accept()]));
      expect(`${accepted.localAddr()}`).to.equal('10.9.0.2:80');
      config.control = () => {
        throw new Error('not today');
      };
      expect((await fail(config.listen('tcp', '10.9.0.2:81'))).message).to.equal('listen tcp 10.9.0.2:81: not today');
    });

    it('says whether accepted connections are probed', async () => {
      const sockets: Socket[] = [];
      const config = new ListenConfig(pair.server, {
        keepAliveConfig: { enable: true, idle: 3000 },
        control: (_network, _address, socket) => void sockets.push(socket as Socket),
      });
      const listener = await config.listen('tcp', '10.9.0.2:80');
      const { accept } = sockets[0] as Socket;
      let made: Socket | undefined;
      (sockets[0] as Socket).accept = function (this: Socket) {
        const accepted = accept.call(this);
        if (typeof accepted !== 'number') made = accepted as Socket;
        return accepted;
      };
      await pair.run(Promise.all([client.dial('tcp', '10.9.0.2:80'), listener.accept()]));
      expect([made?.getsockopt(SOL_SOCKET, SO_KEEPALIVE), made?.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE)]).to.deep.equal([
        1, 3,
      ]);
    });

    it('takes a signal, needs a host, and fields that there are', async () => {
      const config = new ListenConfig(pair.server);
      const error = await fail(config.listen('tcp', ':80', { signal: AbortSignal.abort() }));
      expect(error.message).to.equal('listen tcp: operation was canceled');
      expect((await fail(config.listenPacket('udp', ':80', { signal: AbortSignal.abort() }))).message).to.match(
        /canceled/,
      );
      expect(() => new ListenConfig({} as never)).to.throw(TypeError, 'ListenConfig: host must be a Host');
      expect(() => new ListenConfig(pair.server, { timeout: 5 } as never)).to.throw(TypeError, 'no option timeout');
    });
  });

  describe('of a host', () => {
    it('dialTimeout has a time', async () => {
      const error = await fail(client.dialTimeout('tcp', '10.9.0.77:80', 500));
      expect(error.message).to.equal('dial tcp 10.9.0.77:80: i/o timeout');
      expect(pair.clock.now()).to.equal(500);
      expect((await fail(client.dialTimeout('tcp', ':80', 5, AbortSignal.abort()))).message).to.equal(
        'dial tcp :80: operation was canceled',
      );
      expect(await rejection(client.dialTimeout('tcp', ':80', '5' as never))).to.be.instanceOf(TypeError);
    });

    it('dialTCP and listenTCP take addresses', async () => {
      const listener = await pair.server.listenTCP('tcp', new TCPAddr('10.9.0.2', 0));
      const remote = listener.addr();
      const conn = await pair.run(client.dialTCP('tcp4', new TCPAddr('10.9.0.1', 7), remote));
      expect(`${conn.localAddr()}->${conn.remoteAddr()}`).to.equal(`10.9.0.1:7->${remote}`);
      expect(`${(await pair.server.listenTCP('tcp4')).addr().ip}`).to.equal('0.0.0.0');
      expect(`${(await pair.server.listenTCP('tcp')).addr().ip}`).to.equal('::');
    });

    it('dialUDP and listenUDP do, too', async () => {
      const packets = await pair.server.listenUDP('udp', new UDPAddr('10.9.0.2', 53));
      const conn = await client.dialUDP('udp4', new UDPAddr('10.9.0.1', 7), new UDPAddr('10.9.0.2', 53));
      await conn.write(new Uint8Array(3));
      const { addr, data } = await pair.run(packets.readDatagram());
      expect([`${addr}`, data.length]).to.deep.equal(['10.9.0.1:7', 3]);
      expect(`${(await client.listenUDP('udp6')).localAddr().ip}`).to.equal('::');
    });

    const tcp = (text: string, port: number) => new TCPAddr(text, port);
    const CASES: [call: (host: Host) => Promise<unknown>, message: string][] = [
      [(host) => host.dialTCP('udp', undefined, tcp('10.9.0.2', 80)), 'dial udp 10.9.0.2:80: unknown network udp'],
      [(host) => host.dialTCP('tcp', undefined, undefined as never), 'dial tcp: missing address'],
      [(host) => host.dialTCP('tcp', tcp('10.9.0.1', 7), undefined as never), 'dial tcp 10.9.0.1:7: missing address'],
      [(host) => host.dialTCP('tcp4', undefined, tcp('::1', 1)), 'dial tcp4 [::1]:1: address ::1: non-IPv4 address'],
      [
        (host) => host.dialTCP('tcp6', undefined, tcp('10.9.0.2', 1)),
        'dial tcp6 10.9.0.2:1: connect: network is unreachable',
      ],
      [
        (host) => host.dialTCP('tcp', tcp('10.9.0.9', 7), tcp('10.9.0.2', 1)),
        'dial tcp 10.9.0.9:7->10.9.0.2:1: bind: cannot assign requested address',
      ],
      [
        (host) => host.dialTCP('tcp', undefined, tcp('10.9.0.2', 1)),
        'dial tcp 10.9.0.2:1: connect: connection refused',
      ],
      [
        (host) => host.dialTCP('tcp', undefined, tcp('10.9.0.2', 1), { timeout: -1 }),
        'dial tcp 10.9.0.2:1: i/o timeout',
      ],
      [
        (host) => host.dialTCP('tcp', undefined, tcp('10.9.0.2', 1), { signal: AbortSignal.abort() }),
        'dial tcp 10.9.0.2:1: operation was canceled',
      ],
      [(host) => host.listenTCP('udp'), 'listen udp: unknown network udp'],
      [(host) => host.listenTCP('udp', tcp('10.9.0.1', 7)), 'listen udp 10.9.0.1:7: unknown network udp'],
      [
        (host) => host.listenTCP('tcp', tcp('10.9.0.9', 7)),
        'listen tcp 10.9.0.9:7: bind: cannot assign requested address',
      ],
      [
        (host) => host.dialUDP('tcp', undefined, new UDPAddr('10.9.0.2', 80)),
        'dial tcp 10.9.0.2:80: unknown network tcp',
      ],
      [(host) => host.dialUDP('udp', undefined, undefined as never), 'dial udp: missing address'],
      [
        (host) => host.listenUDP('udp', new UDPAddr('10.9.0.9', 7)),
        'listen udp 10.9.0.9:7: bind: cannot assign requested address',
      ],
      [(host) => host.listenUDP('tcp'), 'listen tcp: unknown network tcp'],
      [
        (host) => host.listen('udp', '10.9.0.1:0'),
        'listen udp 10.9.0.1:0: address 10.9.0.1:0: unexpected address type',
      ],
      [(host) => host.listen('udp', '10.9.0.1'), 'listen udp: address 10.9.0.1: missing port in address'],
    ];
    for (const [call, message] of CASES) {
      it(message, async () => {
        expect((await fail(call(client))).message).to.equal(message);
        expect(client.sockets()).to.deep.equal([]);
      });
    }

    it('refuses addresses of the wrong kind', async () => {
      const calls: Promise<unknown>[] = [
        client.dialTCP('tcp', undefined, '10.9.0.2:80' as never),
        client.dialTCP('tcp', new UDPAddr('10.9.0.1', 1) as never, tcp('10.9.0.2', 80)),
        client.listenTCP('tcp', ':80' as never),
        client.dialUDP('udp', undefined, tcp('10.9.0.2', 80)),
        client.listenUDP('udp', tcp('10.9.0.1', 80)),
        client.dialTCP(5 as never, undefined, tcp('10.9.0.2', 80)),
      ];
      for (const call of calls) expect(await rejection(call)).to.be.instanceOf(TypeError);
    });

    it('is over when the host is closed', async () => {
      const host = createHost();
      await host.close();
      const calls: [Promise<unknown>, string][] = [
        [host.dialTCP('tcp', undefined, tcp('127.0.0.1', 1)), 'dial tcp 127.0.0.1:1'],
        [host.dialUDP('udp', undefined, new UDPAddr('127.0.0.1', 1)), 'dial udp 127.0.0.1:1'],
        [host.listenTCP('tcp'), 'listen tcp'],
        [host.listenUDP('udp'), 'listen udp'],
      ];
      for (const [call, head] of calls)
        expect((await rejection(call)).message).to.equal(`${head}: use of closed network connection`);
    });
  });
});
