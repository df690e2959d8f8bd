/** MSG_ERRQUEUE on sockets of TCP: what ended an attempt to connect. As Linux has it: of IPv4 always, of IPv6 with IPV6_RECVERR. */
import { expect } from 'chai';
import {
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  POLLERR,
} from '../../src/socket/constants.ts';
import { EAGAIN, ECONNREFUSED } from '../../src/socket/errno.ts';
import type { ReceivedMessage } from '../../src/socket/receiving.ts';
import { type Seen, WirePeer } from '../support/wire-peer.ts';

function opening(): WirePeer {
  const t = new WirePeer();
  t.connect();
  return t;
}

/** The SYN meets a closed port, of which ICMP tells. */
function refused(t: WirePeer): Seen {
  const syn = t.expect({ flags: 'S' });
  t.injectIcmp({ type: 3, code: 3, body: syn.bytes });
  return syn;
}

const hasError = (t: WirePeer) => (t.socket.poll() & POLLERR) !== 0;

describe('MSG_ERRQUEUE on a socket of TCP', () => {
  it('tells what ended an attempt to connect, whom it was for, and what was quoted of it; then the error has been told', () => {
    const t = opening();
    t.socket.setsockopt(IPPROTO_IP, IP_RECVERR, 1);
    t.socket.setsockopt(IPPROTO_IPV6, IPV6_RECVERR, 1);
    refused(t);
    const list = [new Uint8Array(2), new Uint8Array(2)];
    const message = t.socket.recvmsg(list, MSG_ERRQUEUE) as ReceivedMessage;
    const { errno, offender } = message.error ?? {};
    const peer = t.socket.peer;
    expect([errno, `${offender}`, message.length]).to.deep.equal([ECONNREFUSED, `${peer?.address}`, 4]);
    expect(message.flags).to.equal(MSG_ERRQUEUE | MSG_TRUNC);
    expect([`${message.from?.address}`, message.from?.port]).to.deep.equal([`${peer?.address}`, peer?.port]);
    expect(new DataView((list[1] as Uint8Array).buffer).getUint16(0)).to.equal(peer?.port);
    expect([hasError(t), t.socket.takeError()]).to.deep.equal([false, 0]);
    expect(t.socket.recvmsg(list, MSG_ERRQUEUE)).to.equal(-EAGAIN);
  });

  it('POLLERR lasts until it is read, or the option is taken back', () => {
    const t = opening();
    t.socket.setsockopt(IPPROTO_IPV6, IPV6_RECVERR, 1);
    refused(t);
    expect(t.socket.takeError()).to.equal(ECONNREFUSED);
    expect(hasError(t)).to.equal(true);
    t.socket.setsockopt(t.family === '6' ? IPPROTO_IPV6 : IPPROTO_IP, t.family === '6' ? IPV6_RECVERR : IP_RECVERR, 0);
    expect(hasError(t)).to.equal(false);
    expect(t.socket.recv(new Uint8Array(1), MSG_ERRQUEUE)).to.equal(-EAGAIN);
  });

  for (const family of ['4', '6'] as const) {
    it(`without the option it is ${family === '4' ? 'kept' : 'not kept'}, IPv${family}`, () => {
      const t = new WirePeer({ family });
      t.connect();
      refused(t);
      expect(t.socket.takeError()).to.equal(ECONNREFUSED);
      expect(hasError(t)).to.equal(family === '4');
    });
  }
});
