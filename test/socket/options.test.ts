/** Socket options: what can be set, within which bounds, and what is read back. Bounds are Linux's. */
import { expect } from 'chai';
import * as constants from '../../src/socket/constants.ts';
import { EINVAL, ENOENT, ENOPROTOOPT } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { established, listening, WirePeer } from '../support/wire-peer.ts';

const { SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP } = constants;

/** [level, option, value set, value read or -errno] */
const TABLE: [keyof typeof constants, number, [number, number][]][] = [
  [
    'SO_REUSEADDR',
    SOL_SOCKET,
    [
      [1, 1],
      [0, 0],
      [7, 1],
    ],
  ],
  [
    'SO_KEEPALIVE',
    SOL_SOCKET,
    [
      [1, 1],
      [0, 0],
      [-1, 1],
    ],
  ],
  [
    'SO_SNDBUF',
    SOL_SOCKET,
    [
      [10_000, 20_000],
      [1, 4608],
      [0, 4608],
      [-5, 8_388_608],
      [1e9, 8_388_608],
    ],
  ],
  [
    'SO_RCVBUF',
    SOL_SOCKET,
    [
      [10_000, 20_000],
      [1, 2304],
      [0, 2304],
      [1e9, 8_388_608],
    ],
  ],
  [
    'TCP_NODELAY',
    IPPROTO_TCP,
    [
      [1, 1],
      [0, 0],
    ],
  ],
  [
    'TCP_CORK',
    IPPROTO_TCP,
    [
      [1, 1],
      [0, 0],
    ],
  ],
  [
    'TCP_MAXSEG',
    IPPROTO_TCP,
    [
      [88, 88],
      [32_767, 32_767],
      [87, -EINVAL],
      [32_768, -EINVAL],
      [0, 536],
    ],
  ],
  [
    'TCP_KEEPIDLE',
    IPPROTO_TCP,
    [
      [1, 1],
      [32_767, 32_767],
      [0, -EINVAL],
      [32_768, -EINVAL],
    ],
  ],
  [
    'TCP_KEEPINTVL',
    IPPROTO_TCP,
    [
      [1, 1],
      [32_767, 32_767],
      [0, -EINVAL],
      [32_768, -EINVAL],
    ],
  ],
  [
    'TCP_KEEPCNT',
    IPPROTO_TCP,
    [
      [1, 1],
      [127, 127],
      [0, -EINVAL],
      [128, -EINVAL],
    ],
  ],
  [
    'TCP_SYNCNT',
    IPPROTO_TCP,
    [
      [1, 1],
      [127, 127],
      [0, -EINVAL],
      [128, -EINVAL],
    ],
  ],
  [
    'TCP_RTO_MAX_MS',
    IPPROTO_TCP,
    [
      [1000, 1000],
      [120_000, 120_000],
      [999, -EINVAL],
      [120_001, -EINVAL],
    ],
  ],
  [
    'TCP_DEFER_ACCEPT',
    IPPROTO_TCP,
    [
      [1, 1],
      [2, 3],
      [0, 0],
      [-5, 0],
    ],
  ],
  [
    'TCP_LINGER2',
    IPPROTO_TCP,
    [
      [5, 5],
      [120, 120],
      [500, 120],
      [0, 60],
      [-7, -1],
    ],
  ],
  [
    'TCP_THIN_LINEAR_TIMEOUTS',
    IPPROTO_TCP,
    [
      [1, 1],
      [0, 0],
      [2, -EINVAL],
      [-1, -EINVAL],
    ],
  ],
  [
    'TCP_USER_TIMEOUT',
    IPPROTO_TCP,
    [
      [0, 0],
      [30_000, 30_000],
      [-1, -EINVAL],
    ],
  ],
  [
    'IP_TOS',
    IPPROTO_IP,
    [
      [0xb8, 0xb8],
      [0x03, 0],
      [0xff, 0xfc],
    ],
  ],
  [
    'IP_TTL',
    IPPROTO_IP,
    [
      [1, 1],
      [255, 255],
      [-1, 64],
      [0, -EINVAL],
      [256, -EINVAL],
    ],
  ],
];

describe('setsockopt(), getsockopt()', () => {
  it('TCP_CONGESTION takes a name, before and after the connection is there', async () => {
    const t = await established();
    expect(t.socket.getsockopt(IPPROTO_TCP, constants.TCP_CONGESTION)).to.equal('reno');
    expect(t.socket.setsockopt(IPPROTO_TCP, constants.TCP_CONGESTION, 'cubic')).to.equal(0);
    expect(t.socket.getsockopt(IPPROTO_TCP, constants.TCP_CONGESTION)).to.equal('cubic');
    expect(t.socket.connection?.congestion.name).to.equal('cubic');
    expect(t.socket.setsockopt(IPPROTO_TCP, constants.TCP_CONGESTION, 'vegas')).to.equal(-ENOENT);
    expect(t.socket.setsockopt(IPPROTO_TCP, constants.TCP_CONGESTION, 1)).to.equal(-EINVAL);
  });

  for (const [name, level, cases] of TABLE) {
    const option = constants[name] as number;
    for (const [value, expected] of cases) {
      it(`${name} = ${value}: ${expected}`, () => {
        const socket = new WirePeer().newSocket();
        const before = socket.getsockopt(level, option);
        if (expected < 0 && name !== 'TCP_LINGER2') {
          expect(socket.setsockopt(level, option, value)).to.equal(expected);
          expect(socket.getsockopt(level, option)).to.equal(before);
        } else {
          expect(socket.setsockopt(level, option, value)).to.equal(0);
          expect(socket.getsockopt(level, option)).to.equal(expected);
        }
      });
    }

    it(`${name}: EINVAL for what is no integer`, () => {
      const socket = new WirePeer().newSocket();
      for (const value of [1.5, Number.NaN, Infinity, 2 ** 40, { onoff: 1, linger: 1 }, '1', undefined]) {
        expect(socket.setsockopt(level, option, value as number)).to.equal(-EINVAL);
      }
    });
  }

  it('defaults', () => {
    const socket = new WirePeer().newSocket();
    const read = (level: number, option: number) => socket.getsockopt(level, option);
    expect(read(IPPROTO_TCP, constants.TCP_KEEPIDLE)).to.equal(7200);
    expect(read(IPPROTO_TCP, constants.TCP_KEEPINTVL)).to.equal(75);
    expect(read(IPPROTO_TCP, constants.TCP_KEEPCNT)).to.equal(9);
    expect(read(IPPROTO_TCP, constants.TCP_SYNCNT)).to.equal(6);
    expect(read(IPPROTO_TCP, constants.TCP_NODELAY)).to.equal(0);
    expect(read(IPPROTO_TCP, constants.TCP_USER_TIMEOUT)).to.equal(0);
    expect(read(IPPROTO_IP, constants.IP_TTL)).to.equal(64);
    expect(read(SOL_SOCKET, constants.SO_LINGER)).to.deep.equal({ onoff: 0, linger: 0 });
  });

  it('those that tell what the socket is', () => {
    const t = listening();
    const socket = t.newSocket();
    const what = [constants.SO_TYPE, constants.SO_PROTOCOL, constants.SO_DOMAIN, constants.SO_ACCEPTCONN];
    expect(what.map((option) => socket.getsockopt(SOL_SOCKET, option))).to.deep.equal([1, 6, 2, 0]);
    expect(t.listener?.getsockopt(SOL_SOCKET, constants.SO_ACCEPTCONN)).to.equal(1);
    for (const option of [...what, constants.SO_ERROR]) {
      expect(socket.setsockopt(SOL_SOCKET, option, 1)).to.equal(-ENOPROTOOPT);
    }
    // A look would take the error away.
    expect(socket.setsockopt(SOL_SOCKET, constants.SO_ERROR, '1')).to.equal(-ENOPROTOOPT);
  });

  it('ENOPROTOOPT for what is unknown', () => {
    const socket = new WirePeer().newSocket();
    for (const [level, option] of [
      [SOL_SOCKET, 999],
      [IPPROTO_TCP, 999],
      [IPPROTO_IP, 999],
      [99, 1],
    ] as const) {
      for (const value of [1, '1', { onoff: 1, linger: 1 }, 0.5]) {
        expect(socket.setsockopt(level, option, value)).to.equal(-ENOPROTOOPT);
      }
      expect(socket.getsockopt(level, option)).to.equal(-ENOPROTOOPT);
    }
  });

  it('SO_LINGER', () => {
    const socket = new WirePeer().newSocket();
    const set = (value: unknown) => socket.setsockopt(SOL_SOCKET, constants.SO_LINGER, value as number);
    expect(set({ onoff: 1, linger: 5 })).to.equal(0);
    expect(socket.getsockopt(SOL_SOCKET, constants.SO_LINGER)).to.deep.equal({ onoff: 1, linger: 5 });
    expect(set({ onoff: 9, linger: -5 })).to.equal(0);
    expect(socket.getsockopt(SOL_SOCKET, constants.SO_LINGER)).to.deep.equal({ onoff: 1, linger: 0 });
    expect(set(1)).to.equal(-EINVAL);
    expect(set({ onoff: 1, linger: 0.5 })).to.equal(-EINVAL);
    expect(set(undefined)).to.equal(-EINVAL);
    expect(set(null)).to.equal(-EINVAL);
    expect(set({})).to.equal(-EINVAL);
  });

  // Linux: a close that lingers waits in the background here, as nothing in these calls waits: the FIN goes out behind the data.
  it('SO_LINGER with seconds closes as without', async () => {
    const t = await established();
    t.socket.setsockopt(SOL_SOCKET, constants.SO_LINGER, { onoff: 1, linger: 5 });
    t.write('data');
    t.socket.close();
    t.expect({ flags: 'FPA', data: 'data' });
  });

  it('TCP_MAXSEG of a connection is what it sends; to set it comes too late (Linux)', async () => {
    const t = await established({ options: { mss: 1000 } });
    expect(t.socket.getsockopt(IPPROTO_TCP, constants.TCP_MAXSEG)).to.equal(1000);
    t.socket.setsockopt(IPPROTO_TCP, constants.TCP_MAXSEG, 500);
    expect(t.socket.getsockopt(IPPROTO_TCP, constants.TCP_MAXSEG)).to.equal(1000);
    t.write(1000);
    t.expect({ length: 1000 });
  });

  it('TCP_CC_INFO: what BBR and DCTCP tell, in Linux’s structures; the others have none', async () => {
    const t = await established();
    const { socket } = t;
    const info = (name?: string) => {
      if (name !== undefined) socket.setsockopt(IPPROTO_TCP, constants.TCP_CONGESTION, name);
      const bytes = socket.getsockopt(IPPROTO_TCP, constants.TCP_CC_INFO) as Uint8Array;
      return new Uint32Array(bytes.buffer);
    };
    expect(info('cubic')).to.have.lengthOf(0);
    expect(info('reno')).to.have.lengthOf(0);
    expect([...info('dctcp')]).to.deep.equal([1, 1024, 0, 0]);
    const [low, high, , pacingGain, cwndGain] = info('bbr');
    expect([low, high, pacingGain, cwndGain]).to.deep.equal([0, 0, Math.round(2.77 * 256), 512]);
    t.write(1000);
    await t.advance(50);
    t.inject({ ack: 1001 });
    expect(info()[0]).to.equal(29_200);
    const fresh = new WirePeer().newSocket();
    for (const [name, length] of [
      ['bbr', 20],
      ['dctcp', 16],
      ['cubic', 0],
    ] as const) {
      fresh.setsockopt(IPPROTO_TCP, constants.TCP_CONGESTION, name);
      expect(fresh.getsockopt(IPPROTO_TCP, constants.TCP_CC_INFO)).to.deep.equal(new Uint8Array(length));
    }
    expect(fresh.setsockopt(IPPROTO_TCP, constants.TCP_CC_INFO, 1)).to.equal(-ENOPROTOOPT);
  });

  it('TCP_INFO of no connection: EINVAL', () => {
    expect(new WirePeer().newSocket().getsockopt(IPPROTO_TCP, constants.TCP_INFO)).to.equal(-EINVAL);
  });

  it('TCP_QUICKACK reads what the connection does now', async () => {
    const t = await established();
    expect(t.socket.getsockopt(IPPROTO_TCP, constants.TCP_QUICKACK)).to.equal(1);
    t.socket.setsockopt(IPPROTO_TCP, constants.TCP_QUICKACK, 0);
    expect(t.socket.getsockopt(IPPROTO_TCP, constants.TCP_QUICKACK)).to.equal(0);
  });

  it('SO_KEEPALIVE on a connection starts with the last segment received', async () => {
    const t = await established();
    await t.advance(8000);
    t.socket.setsockopt(IPPROTO_TCP, constants.TCP_KEEPIDLE, 10);
    t.socket.setsockopt(SOL_SOCKET, constants.SO_KEEPALIVE, 1);
    await t.advance(1999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 0, flags: 'A' });
  });
});

describe('TCP_SAVE_SYN', () => {
  const { TCP_SAVE_SYN, TCP_SAVED_SYN } = constants;

  it('on a listener: accepted sockets give the headers of their SYN, once', async () => {
    const t = listening();
    const listener = t.listener as Socket;
    expect(listener.setsockopt(IPPROTO_TCP, TCP_SAVE_SYN, 3)).to.equal(-EINVAL);
    expect(listener.setsockopt(IPPROTO_TCP, TCP_SAVE_SYN, 1)).to.equal(0);
    expect(listener.getsockopt(IPPROTO_TCP, TCP_SAVE_SYN)).to.equal(1);
    t.inject({ seq: 0, flags: 'S', win: 4321, options: { mss: 1460 } });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 1 });
    const accepted = t.accept();
    const saved = accepted.getsockopt(IPPROTO_TCP, TCP_SAVED_SYN) as Uint8Array;
    expect(saved).to.have.lengthOf(20 + 24);
    expect(saved[0]).to.equal(0x45);
    const view = new DataView(saved.buffer, saved.byteOffset);
    expect(view.getUint8(20 + 13)).to.equal(2);
    expect(view.getUint16(20 + 14)).to.equal(4321);
    expect(accepted.getsockopt(IPPROTO_TCP, TCP_SAVED_SYN)).to.have.lengthOf(0);
  });

  it('otherwise there is none', async () => {
    const t = await established();
    expect(t.socket.getsockopt(IPPROTO_TCP, TCP_SAVED_SYN)).to.have.lengthOf(0);
  });
});
