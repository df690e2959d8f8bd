import { expect } from 'chai';
import type { DialOptions } from '../../src/net/dial.ts';
import type { ListenOptions } from '../../src/net/listen.ts';
import type { OpError } from '../../src/net/op-error.ts';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { connectedHosts, type Pair, rejection, thrown } from '../support/pair.ts';

type Four = [on: number, idle: number, interval: number, count: number];

const read = (socket: Socket): Four => [
  socket.getsockopt(SOL_SOCKET, SO_KEEPALIVE) as number,
  socket.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE) as number,
  socket.getsockopt(IPPROTO_TCP, TCP_KEEPINTVL) as number,
  socket.getsockopt(IPPROTO_TCP, TCP_KEEPCNT) as number,
];

const DIALLED: [what: string, options: DialOptions, expected: Four][] = [
  ['nothing', {}, [1, 15, 15, 9]],
  ['keepAlive -1', { keepAlive: -1 }, [0, 7200, 75, 9]],
  ['keepAlive of a millionth of a ms', { keepAlive: 1e-6 }, [1, 1, 15, 9]],
  ['keepAlive 1.5 s', { keepAlive: 1500 }, [1, 2, 15, 9]],
  ['keepAlive 5 s', { keepAlive: 5000 }, [1, 5, 15, 9]],
  ['a config with an interval of 2.1 s', { keepAliveConfig: { enable: true, interval: 2100 } }, [1, 15, 3, 9]],
  [
    'a config that leaves all',
    { keepAliveConfig: { enable: true, idle: -1, interval: -1, count: -1 } },
    [1, 7200, 75, 9],
  ],
  ['a config that does not enable', { keepAliveConfig: { enable: false, idle: 1000 } }, [1, 15, 15, 9]],
  ['a config that enables, and keepAlive -1', { keepAlive: -1, keepAliveConfig: { enable: true } }, [1, 15, 15, 9]],
];

describe('net/keep-alive', () => {
  let pair: Pair;

  beforeEach(() => {
    pair = connectedHosts();
  });

  afterEach(() => pair.close());

  for (const [what, options, expected] of DIALLED) {
    it(`sets ${expected.join('/')} for a dial with ${what}`, async () => {
      const sockets: Socket[] = [];
      await pair.connect({ dial: { ...options, control: (_network, _address, socket) => void sockets.push(socket) } });
      const socket = sockets[0] as Socket;
      expect(read(socket)).to.deep.equal(expected);
      expect(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY)).to.equal(1);
    });
  }

  for (const [what, options, expected] of DIALLED) {
    it(`sets ${expected.join('/')} on what a listener with ${what} accepts`, async () => {
      let accepted: Socket | undefined;
      const control = (_network: string, _address: string, socket: Socket) => {
        const { accept } = socket;
        socket.accept = () => {
          const made = accept.call(socket);
          if (typeof made !== 'number') accepted = made;
          return made;
        };
      };
      await pair.connect({ listen: { ...(options as ListenOptions), control } });
      expect(read(accepted as Socket)).to.deep.equal(expected);
      expect(accepted?.getsockopt(IPPROTO_TCP, TCP_NODELAY)).to.equal(1);
    });
  }

  it('stores what setKeepAliveConfig says, even when it is off', async () => {
    const sockets: Socket[] = [];
    const { dialled } = await pair.connect({
      dial: { control: (_network, _address, socket) => void sockets.push(socket) },
    });
    const socket = sockets[0] as Socket;
    dialled.setKeepAliveConfig({ enable: false, idle: 7000, interval: 8000, count: 4 });
    expect(read(socket)).to.deep.equal([0, 7, 8, 4]);
    dialled.setKeepAlive(true);
    dialled.setKeepAlivePeriod(20_001);
    expect(read(socket)).to.deep.equal([1, 21, 8, 4]);
    dialled.setKeepAlivePeriod(0);
    expect(read(socket)).to.deep.equal([1, 15, 8, 4]);
    dialled.setKeepAlivePeriod(-5);
    expect(read(socket)).to.deep.equal([1, 15, 8, 4]);
    dialled.setNoDelay(false);
    expect(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY)).to.equal(0);
    dialled.setNoDelay();
    expect(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY)).to.equal(1);
  });

  it('refuses what the stack cannot do', async () => {
    const { dialled } = await pair.connect();
    for (const call of [
      () => dialled.setKeepAlivePeriod(40_000_000),
      () => dialled.setKeepAliveConfig({ enable: true, interval: 40_000_000 }),
      () => dialled.setKeepAliveConfig({ enable: true, count: 128 }),
    ]) {
      expect(thrown(call).message).to.equal(
        `set tcp ${dialled.localAddr()}->${dialled.remoteAddr()}: setsockopt: invalid argument`,
      );
    }
    expect(() => dialled.setKeepAlivePeriod('5' as never)).to.throw(TypeError);
    expect(() => dialled.setLinger(1.5)).to.throw(TypeError, /seconds must be an integer/);
  });

  it('refuses options of the wrong kind, naming them', async () => {
    const dial = (options: DialOptions) => rejection(pair.client.dial('tcp', '10.9.0.2:80', options));
    expect((await dial({ keepAlive: '5' as never })).message).to.equal('dial: keepAlive must be a number, got 5');
    expect((await dial({ keepAliveConfig: 5 as never })).message).to.match(/^dial: keepAliveConfig must be an object/);
    expect((await dial({ keepAliveConfig: { count: Number.NaN } })).message).to.match(
      /^dial: keepAliveConfig\.count must be a number/,
    );
    expect((await dial({ keepAliveConfig: { enable: 1 as never } })).message).to.match(
      /^dial: keepAliveConfig\.enable must be true or false/,
    );
  });

  // 15 s of silence and 9 probes, 15 s apart.
  for (const side of ['dialled', 'accepted'] as const) {
    it(`reports a dead idle peer on the ${side} side at exactly 150 s`, async () => {
      const connection = await pair.connect();
      const conn = connection[side];
      pair.cut();
      const start = pair.clock.now();
      let failed: { at: number; error: OpError } | undefined;
      conn.read(new Uint8Array(1)).catch((error: OpError) => {
        failed = { at: pair.clock.now() - start, error };
      });
      await pair.clock.advance(149_999);
      expect(failed, 'before 150 s').to.equal(undefined);
      await pair.clock.advance(1);
      expect(failed?.at).to.equal(150_000);
      expect(failed?.error).to.include({ code: 'ETIMEDOUT', timeout: true, temporary: true });
      expect(failed?.error.message).to.equal(
        `read tcp ${conn.localAddr()}->${conn.remoteAddr()}: read: connection timed out`,
      );
    });
  }

  it('keeps a connection to a peer that answers', async () => {
    const { dialled, accepted } = await pair.connect();
    await pair.clock.advance(3_600_000);
    expect(await pair.run(dialled.write(new Uint8Array(3)))).to.equal(3);
    expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(3);
  });

  it('does not probe when it is off', async () => {
    const { dialled, accepted } = await pair.connect({ dial: { keepAlive: -1 }, listen: { keepAlive: -1 } });
    pair.cut();
    await pair.clock.advance(3_600_000);
    pair.mend();
    expect(await pair.run(dialled.write(new Uint8Array(3)))).to.equal(3);
    expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(3);
  });
});
