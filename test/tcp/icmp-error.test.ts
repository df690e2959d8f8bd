/** ICMP errors in every state: Linux's table (icmp_err_convert) and what it does with it. RFC 1122 4.2.3.9, RFC 5927 5.2. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_USER_TIMEOUT } from '../../src/socket/constants.ts';
import { errnoName } from '../../src/socket/errno.ts';
import { describeIpv4 } from '../support/wire-family.ts';
import { established, listening, type Seen, WirePeer } from '../support/wire-peer.ts';

/** Type, code, what the user is told, whether it ends an attempt to connect, and whether it ends an embryo. */
const ERRORS: readonly (readonly [number, number, string, boolean, boolean])[] = [
  [3, 0, 'ENETUNREACH', true, true],
  [3, 1, 'EHOSTUNREACH', true, true],
  [3, 2, 'ENOPROTOOPT', true, false],
  [3, 3, 'ECONNREFUSED', true, false],
  [3, 5, 'EOPNOTSUPP', true, false],
  [3, 6, 'ENETUNREACH', true, false],
  [3, 7, 'EHOSTDOWN', true, false],
  [3, 8, 'ENONET', true, false],
  [3, 9, 'ENETUNREACH', true, false],
  [3, 10, 'EHOSTUNREACH', true, false],
  [3, 11, 'ENETUNREACH', true, false],
  [3, 12, 'EHOSTUNREACH', true, false],
  [3, 13, 'EHOSTUNREACH', true, false],
  [3, 14, 'EHOSTUNREACH', true, false],
  [3, 15, 'EHOSTUNREACH', true, false],
  [11, 0, 'EHOSTUNREACH', false, true],
  [12, 0, 'EPROTO', false, true],
];

function about(t: WirePeer, { bytes }: Seen, type: number, code: number, shift = 0): void {
  const body = bytes.slice(0, 28);
  const view = new DataView(body.buffer);
  view.setInt32(24, (view.getInt32(24) + shift) | 0);
  t.injectIcmp({ type, code, body });
}

describeIpv4('ICMP errors', () => {
  for (const [type, code, name, endsOpening, endsEmbryo] of ERRORS) {
    const what = `type ${type} code ${code}`;

    it(`${what} while connecting: ${endsOpening ? name : 'goes on'}`, () => {
      const t = new WirePeer();
      t.connect();
      about(t, t.expect({ flags: 'S' }), type, code);
      expect(t.state()).to.equal(endsOpening ? 'CLOSED' : 'SYN-SENT');
      if (endsOpening) expect(errnoName(t.socket.takeError())).to.equal(name);
    });

    it(`${what} of an open connection: it goes on; ${name} when it times out`, async () => {
      const t = await established({ setup: (socket) => void socket.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 3000) });
      t.write('x');
      about(t, t.expect({ data: 'x' }), type, code);
      expect(t.state()).to.equal('ESTABLISHED');
      await t.advance(5000);
      expect(t.state()).to.equal('CLOSED');
      expect(errnoName(t.socket.takeError())).to.equal(name);
    });

    it(`${what} about a SYN-ACK: the embryo ${endsEmbryo ? 'is given up' : 'stays'}`, () => {
      const t = listening();
      t.inject({ seq: 0, flags: 'S' });
      about(t, t.expect({ flags: 'SA' }), type, code);
      t.inject({ seq: 1, ack: 1 });
      if (endsEmbryo) t.expect({ flags: 'R', seq: 1 });
      else t.accept();
      expect(t.counters.ListenDrops).to.equal(endsEmbryo ? 1 : 0);
    });
  }

  it('a code that there is not means nothing', () => {
    const t = new WirePeer();
    t.connect();
    about(t, t.expect({ flags: 'S' }), 3, 16);
    expect(t.state()).to.equal('SYN-SENT');
  });

  it('fragmentation needed does nothing to an embryo, nor to a TIME-WAIT record (Linux)', async () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S' });
    about(t, t.expect({ flags: 'SA' }), 3, 4);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    t.socket.shutdown(1);
    const fin = t.expect({ flags: 'FA' });
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    t.expect({ ack: 2 });
    about(t, fin, 3, 4);
    expect(t.stack.network.mtus.size).to.equal(0);
  });

  it('RFC 5927 4.1: an error about another number than that of the SYN-ACK leaves the embryo alone', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S' });
    about(t, t.expect({ flags: 'SA' }), 3, 1, 1);
    expect(t.counters.OutOfWindowIcmps).to.equal(1);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
  });
});
