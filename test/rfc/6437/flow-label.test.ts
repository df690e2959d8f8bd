/** RFC 6437: flow labels. */
import { expect } from 'chai';
import { AF_INET6, SOCK_STREAM } from '../../../src/socket/constants.ts';
import { createSocket } from '../../../src/socket/create-socket.ts';
import { EINPROGRESS } from '../../../src/socket/errno.ts';
import type { Socket } from '../../../src/socket/socket.ts';
import { buildTcp6, PEER6, Wire6 } from '../../support/wire6.ts';

function connect(t: Wire6, port = 80): void {
  const socket = createSocket(t.stack, AF_INET6, SOCK_STREAM, 0) as Socket;
  expect(socket.connect({ address: PEER6, port })).to.equal(-EINPROGRESS);
}

const labels = (t: Wire6) => t.link.drain().map((bytes) => new DataView(bytes.buffer).getUint32(0) & 0xfffff);

describe('RFC 6437 3: flow labels', () => {
  it('all packets of a flow carry one, which is not 0; flows differ', async () => {
    const t = new Wire6();
    connect(t);
    await t.clock.advance(0);
    connect(t);
    await t.clock.advance(3500);
    const seen = labels(t);
    expect([seen.length, new Set(seen).size]).to.deep.equal([8, 2]);
    expect(seen).to.not.include(0);
  });

  it('so does who is called: the SYN-ACK, again and again, and what follows', async () => {
    const t = new Wire6();
    await sendWithoutAnswer(t, 1500);
    const seen = labels(t);
    expect([seen.length, new Set(seen).size]).to.deep.equal([3, 1]);
    expect(seen[0]).to.not.equal(0);
  });

  it('one that is not answered for long takes another, which may lead another way (Linux)', async () => {
    const t = new Wire6({ sysctl: { tcp_retries1: 2 } });
    await sendWithoutAnswer(t, 1500);
    const before = new Set(labels(t));
    await t.clock.advance(1000);
    expect(new Set([...before, ...labels(t)]).size).to.equal(1);
    await t.clock.advance(20_000);
    expect(new Set([...before, ...labels(t)]).size).to.equal(2);
  });
});

/** Accepts a connection whose SYN-ACK was sent twice in `ms`, and sends what nobody acknowledges. */
async function sendWithoutAnswer(t: Wire6, ms: number): Promise<void> {
  const listener = createSocket(t.stack, AF_INET6, SOCK_STREAM, 0) as Socket;
  expect(listener.listen(5)).to.equal(0);
  const { port } = listener.getsockname() as { port: number };
  t.inject(buildTcp6({ destinationPort: port, sourcePort: 999, seq: 0, flags: 2 }));
  await t.clock.advance(ms);
  const [first, second] = t.link.sent;
  expect(second).to.not.equal(undefined);
  const iss = new DataView((first as Uint8Array).buffer).getInt32(44);
  t.inject(buildTcp6({ destinationPort: port, sourcePort: 999, seq: 1, ack: iss + 1, flags: 16 }));
  const accepted = listener.accept() as Socket;
  accepted.send(Uint8Array.of(1, 2, 3));
  await t.clock.advance(0);
}
