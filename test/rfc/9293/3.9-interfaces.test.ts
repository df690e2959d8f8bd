/** RFC 9293 3.9.1, 3.9.2: the user's calls in each state, and what TCP asks of IP: TTL, Diffserv, ICMP. */
import { expect } from 'chai';
import {
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_TCP,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_WR,
  SO_ERROR,
  SOL_SOCKET,
  TCP_INFO,
} from '../../../src/socket/constants.ts';
import {
  EACCES,
  EAGAIN,
  EALREADY,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINVAL,
  EISCONN,
  ENETUNREACH,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
  EPROTO,
  ETIMEDOUT,
} from '../../../src/socket/errno.ts';
import type { TcpInfo } from '../../../src/tcp/info.ts';
import { FAMILY, HOP_LIMIT, itIpv4, SERVICE_CLASS } from '../../support/wire-family.ts';
import { connecting, established, listening, PEER, SERVICE, WirePeer } from '../../support/wire-peer.ts';
import { inState, type StateName } from '../../support/wire-states.ts';

/** What each call gives in each state. The connections have no data; SYN-RECEIVED is that of a simultaneous open. */
const CALLS: Record<
  Exclude<StateName, 'SYN-RECEIVED'> | 'SYN-RECEIVED',
  { open: number; send: number; receive: number; shutdown: number; peer: boolean; poll: number; status: number }
> = {
  'SYN-SENT': { open: -EALREADY, send: -EAGAIN, receive: -EAGAIN, shutdown: 0, peer: false, poll: 0, status: 2 },
  'SYN-RECEIVED': {
    open: -EALREADY,
    send: -EAGAIN,
    receive: -EAGAIN,
    shutdown: 0,
    peer: true,
    poll: POLLOUT,
    status: 3,
  },
  ESTABLISHED: { open: -EISCONN, send: 1, receive: -EAGAIN, shutdown: 0, peer: true, poll: POLLOUT, status: 1 },
  'FIN-WAIT-1': { open: -EISCONN, send: -EPIPE, receive: -EAGAIN, shutdown: 0, peer: true, poll: POLLOUT, status: 4 },
  'FIN-WAIT-2': { open: -EISCONN, send: -EPIPE, receive: -EAGAIN, shutdown: 0, peer: true, poll: POLLOUT, status: 5 },
  'CLOSE-WAIT': {
    open: -EISCONN,
    send: 1,
    receive: 0,
    shutdown: 0,
    peer: true,
    poll: POLLIN | POLLOUT | POLLRDHUP,
    status: 8,
  },
  CLOSING: {
    open: -EISCONN,
    send: -EPIPE,
    receive: 0,
    shutdown: 0,
    peer: true,
    poll: POLLIN | POLLOUT | POLLRDHUP | POLLHUP,
    status: 11,
  },
  'LAST-ACK': {
    open: -EISCONN,
    send: -EPIPE,
    receive: 0,
    shutdown: 0,
    peer: true,
    poll: POLLIN | POLLOUT | POLLRDHUP | POLLHUP,
    status: 9,
  },
  'TIME-WAIT': {
    open: -EISCONN,
    send: -EPIPE,
    receive: 0,
    shutdown: -ENOTCONN,
    // As on Linux, whose socket is closed by then.
    peer: false,
    poll: POLLIN | POLLOUT | POLLRDHUP | POLLHUP,
    status: 6,
  },
};

async function socketIn(state: StateName): Promise<WirePeer> {
  if (state !== 'SYN-RECEIVED') return inState(state, { active: true });
  const t = connecting();
  t.inject({ seq: 0, flags: 'S' });
  t.expect({ flags: 'SA' });
  return t;
}

describe('RFC 9293 3.9.1, 3.10.1 to 3.10.6: the calls in each state', () => {
  for (const [name, expected] of Object.entries(CALLS) as [StateName, (typeof CALLS)[StateName]][]) {
    describe(name, () => {
      it(`OPEN: ${expected.open}`, async () => {
        const t = await socketIn(name);
        expect(t.socket.connect({ address: PEER, port: SERVICE })).to.equal(
          name === 'SYN-SENT' ? -EALREADY : firstTime(t, expected.open),
        );
        expect(t.socket.listen(1)).to.equal(-EINVAL);
        t.expectNothing();
      });

      it(`SEND: ${expected.send}`, async () => {
        const t = await socketIn(name);
        expect(t.write('x')).to.equal(expected.send);
        if (expected.send === 1) t.expect({ data: 'x' });
        else t.expectNothing();
      });

      it(`RECEIVE: ${expected.receive}`, async () => {
        const t = await socketIn(name);
        expect(t.read()).to.equal(expected.receive);
      });

      it(`CLOSE (of the sending half): ${expected.shutdown}`, async () => {
        const t = await socketIn(name);
        expect(t.socket.shutdown(SHUT_WR)).to.equal(expected.shutdown);
        expect(t.socket.shutdown(SHUT_WR)).to.equal(name === 'SYN-SENT' ? -ENOTCONN : expected.shutdown);
        const sent = t.drain().map(({ flags }) => flags);
        expect(sent).to.deep.equal(name === 'ESTABLISHED' || name === 'CLOSE-WAIT' ? ['FA'] : []);
      });

      it('STATUS', async () => {
        const t = await socketIn(name);
        expect((t.socket.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo).tcpi_state).to.equal(expected.status);
        expect(typeof t.socket.getpeername()).to.equal(expected.peer ? 'object' : 'number');
      });

      it('readiness', async () => {
        const t = await socketIn(name);
        if (name !== 'SYN-RECEIVED') expect(t.socket.poll()).to.equal(expected.poll);
        expect(t.socket.poll() & POLLERR).to.equal(0);
      });
    });
  }

  // Linux, POSIX: the first connect after the connection was made in the background says 0, unless a shutdown has seen that it is there.
  function firstTime(t: WirePeer, otherwise: number): number {
    return t.state() === 'ESTABLISHED' || t.state() === 'CLOSE-WAIT' ? 0 : otherwise;
  }

  it('CLOSED: every call says so', () => {
    const t = new WirePeer();
    const socket = t.newSocket();
    expect(socket.send(new Uint8Array(1))).to.equal(-EPIPE);
    expect(socket.recv(new Uint8Array(1))).to.equal(-ENOTCONN);
    expect(socket.shutdown(SHUT_WR)).to.equal(-ENOTCONN);
    expect(socket.getpeername()).to.equal(-ENOTCONN);
    expect(socket.accept()).to.equal(-EINVAL);
    expect(socket.poll()).to.equal(POLLOUT | POLLHUP);
  });
});

describe('RFC 9293 3.9.2: IP', () => {
  itIpv4('MUST-49: the TTL is configurable, for the host and for a connection', async () => {
    expect((await established()).ladder()).to.be.a('string');
    const t = await established({ sysctl: { ip_default_ttl: 77 } });
    t.write('x');
    expect(t.expect().bytes[8]).to.equal(77);
    expect(t.socket.setsockopt(IPPROTO_IP, IP_TTL, 3)).to.equal(0);
    t.write(1460);
    expect(t.expect().bytes[8]).to.equal(3);
    t.socket.setsockopt(IPPROTO_IP, IP_TTL, -1);
    expect(t.socket.getsockopt(IPPROTO_IP, IP_TTL)).to.equal(77);
    expect(t.socket.setsockopt(IPPROTO_IP, IP_TTL, 0)).to.equal(-EINVAL);
    expect(t.socket.setsockopt(IPPROTO_IP, IP_TTL, 256)).to.equal(-EINVAL);
  });

  it('64 unless told otherwise; and no router may cut it up (RFC 1191)', async () => {
    const t = await established();
    t.write('x');
    const { bytes } = t.expect();
    expect(bytes[8]).to.equal(64);
    expect(bytes[6]).to.equal(0x40);
  });

  it('MUST-48, SHLD-21, SHLD-22: the Diffserv field is the user’s, from the SYN,ACK on, and may change', async () => {
    const t = listening({ setup: (socket) => socket.setsockopt(...SERVICE_CLASS, 0xb8) });
    expect(t.handshake().bytes[1]).to.equal(0xb8);
    t.accept();
    t.write('x');
    expect(t.expect().bytes[1]).to.equal(0xb8);
    // The two ECN bits are TCP's.
    t.socket.setsockopt(...SERVICE_CLASS, 0x2b);
    t.write(1460);
    expect(t.expect().bytes[1]).to.equal(0x28);
  });

  it('MUST-48, MUST-49: of a connection that we open, too', () => {
    const t = new WirePeer({
      setup: (socket) => {
        socket.setsockopt(...SERVICE_CLASS, 0x20);
        socket.setsockopt(...HOP_LIMIT, 7);
      },
    });
    t.connect();
    const { bytes } = t.expect({ flags: 'S' });
    expect([bytes[1], bytes[8]]).to.deep.equal([0x20, 7]);
  });

  itIpv4('MUST-50: IP options are passed over', async () => {
    const t = await established();
    t.write('x');
    const { bytes } = t.expect();
    // Its own segment, turned around, with four bytes of IP options (no-operation) put in.
    const answer = new Uint8Array(48);
    answer.set(bytes.subarray(0, 20));
    answer.fill(1, 20, 24);
    answer.set(bytes.subarray(20, 40), 24);
    const view = new DataView(answer.buffer);
    view.setUint8(0, 0x46);
    view.setUint16(2, 44);
    view.setInt32(12, PEER.w3);
    view.setInt32(16, (10 << 24) | 1);
    expect(t.stack.counters.InHdrErrors).to.equal(0);
    view.setUint16(10, 0);
    let total = 0;
    for (let at = 0; at < 24; at += 2) total += view.getUint16(at);
    view.setUint16(10, ~((total & 0xffff) + (total >>> 16)) & 0xffff);
    t.injectBytes(answer.subarray(0, 44));
    expect(t.stack.counters.InHdrErrors).to.equal(0);
    // It got as far as TCP, where its checksum is wrong, as source and destination port are the wrong way round.
    expect(t.stack.counters.InDelivers).to.be.greaterThan(2);
  });
});

describe('RFC 6864 4.1: the identification', () => {
  it('means nothing: no datagram of ours may be fragmented', async () => {
    const t = await established();
    t.write('a');
    t.write(3000);
    for (const { bytes } of t.drain()) {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      expect(view.getUint16(6)).to.equal(0x4000);
    }
  });
});

describe('RFC 9293 3.9.2.2: ICMP', () => {
  /** An error about the DUT's last packet. */
  const SOFT = [
    [3, 0, ENETUNREACH],
    [3, 1, EHOSTUNREACH],
    ...(FAMILY === '6' ? [] : [[3, 5, EOPNOTSUPP] as const]),
    [11, 0, EHOSTUNREACH],
    [11, 1, EHOSTUNREACH],
    [12, 0, EPROTO],
  ] as const;

  for (const [type, code, errno] of SOFT) {
    it(`MUST-54, MUST-56, SHLD-25: type ${type} code ${code} does not abort; when R2 is reached it is the reason`, async () => {
      const t = await established();
      t.write('x');
      const { bytes } = t.expect({ data: 'x' });
      t.injectIcmp({ type, code, body: bytes.subarray(0, 28) });
      expect(t.state()).to.equal('ESTABLISHED');
      expect(t.socket.takeError()).to.equal(0);
      await t.advance(1_200_000);
      expect(t.state()).to.equal('CLOSED');
      expect(t.socket.takeError()).to.equal(errno);
    });
  }

  it('MUST-47: who asks is told of it, once (SO_ERROR), and the connection goes on', async () => {
    const t = await established();
    t.write('x');
    const { bytes } = t.expect({ data: 'x' });
    t.injectIcmp({ type: 3, code: 1, body: bytes.subarray(0, 28) });
    expect(t.socket.poll() & POLLERR).to.equal(0);
    expect(t.socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(EHOSTUNREACH);
    expect(t.socket.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(0);
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('an acknowledgment makes it forgotten', async () => {
    const t = await established();
    t.write('x');
    const { bytes } = t.expect();
    t.injectIcmp({ type: 3, code: 1, body: bytes.subarray(0, 28) });
    t.inject({ ack: 2 });
    t.write('y');
    await t.advance(1_200_000);
    expect(t.socket.takeError()).to.equal(ETIMEDOUT);
  });

  // Deviation, as Linux and RFC 5927 5.2: SHLD-26 would abort on a hard error, which anybody can forge; a synchronized connection goes on.
  for (const code of [2, 3]) {
    it(`SHLD-26, deviation: a hard error (code ${code}) does not abort a synchronized connection`, async () => {
      const t = await established();
      t.write('x');
      const { bytes } = t.expect();
      t.injectIcmp({ type: 3, code, body: bytes.subarray(0, 28) });
      expect(t.state()).to.equal('ESTABLISHED');
    });
  }

  /** For ICMPv6 they are the codes that mean the same. */
  const WHILE_CONNECTING = [
    [0, ENETUNREACH],
    [1, EHOSTUNREACH],
    [3, ECONNREFUSED],
    ...(FAMILY === '6'
      ? []
      : ([
          [2, ENOPROTOOPT],
          [9, ENETUNREACH],
        ] as const)),
    [13, FAMILY === '6' ? EACCES : EHOSTUNREACH],
  ] as const;

  for (const [code, errno] of WHILE_CONNECTING) {
    // Deviation for 0 and 1, as Linux: while connecting, nobody is served by two minutes of waiting.
    it(`SYN-SENT: unreachable, code ${code}: the attempt fails at once`, () => {
      const t = new WirePeer();
      t.connect();
      const { bytes } = t.expect({ flags: 'S' });
      t.injectIcmp({ type: 3, code, body: bytes.subarray(0, 28) });
      expect(t.state()).to.equal('CLOSED');
      expect(t.socket.takeError()).to.equal(errno);
    });
  }

  for (const type of [11, 12]) {
    it(`MUST-56: SYN-SENT: type ${type} does not abort`, () => {
      const t = new WirePeer();
      t.connect();
      const { bytes } = t.expect({ flags: 'S' });
      t.injectIcmp({ type, body: bytes.subarray(0, 28) });
      expect(t.state()).to.equal('SYN-SENT');
    });
  }

  it('MUST-55: source quench is discarded', async () => {
    const t = await established();
    t.write('x');
    const { bytes } = t.expect();
    t.injectIcmp({ type: 4, body: bytes.subarray(0, 28) });
    t.write(5 * 1460);
    expect(t.drain().length).to.equal(5);
  });

  // RFC 5927 4.1
  it('an error about a number that is not out is not believed', () => {
    const t = new WirePeer();
    t.connect();
    const { bytes } = t.expect({ flags: 'S' });
    for (const offset of [-1, 2, 100_000]) {
      const forged = bytes.slice(0, 28);
      const view = new DataView(forged.buffer);
      view.setInt32(24, view.getInt32(24) + offset);
      t.injectIcmp({ type: 3, code: 3, body: forged });
    }
    expect(t.state()).to.equal('SYN-SENT');
    expect(t.counters.OutOfWindowIcmps).to.equal(3);
  });

  it('fragmentation needed is not an end', () => {
    const t = new WirePeer();
    t.connect();
    const { bytes } = t.expect({ flags: 'S' });
    t.injectIcmp({ type: 3, code: 4, rest: 1400, body: bytes.subarray(0, 28) });
    expect(t.state()).to.equal('SYN-SENT');
  });

  it('errors that are cut short, or not about TCP, or about nobody', () => {
    const t = new WirePeer();
    t.connect();
    const { bytes } = t.expect({ flags: 'S' });
    for (const length of [0, 8, 19, 20, 27]) t.injectIcmp({ type: 3, code: 3, body: bytes.subarray(0, length) });
    const udp = bytes.slice(0, 28);
    udp[9] = 17;
    t.injectIcmp({ type: 3, code: 3, body: udp });
    const other = bytes.slice(0, 28);
    other[23] = 99;
    t.injectIcmp({ type: 3, code: 3, body: other });
    expect(t.state()).to.equal('SYN-SENT');
    expect(t.counters.OutOfWindowIcmps).to.equal(0);
    t.expectNothing();
  });
});
