/** Sockets that their users hold when the host is closed: told, of no use any more, and theirs to close. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import {
  AF_INET,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SO_ERROR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { ECONNABORTED, EISCONN, ENETDOWN } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IPV4_LOOPBACK } from '../../src/wire/address.ts';

const at = (port: number) => ({ address: IPV4_LOOPBACK, port });
const ENDED = POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR;
const room = () => new Uint8Array(10_000);

interface Scene {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly listener: Socket;
  readonly client: Socket;
  readonly accepted: Socket;
}

/** A connection with bytes that nobody has read, and one that nobody has accepted. */
async function scene(): Promise<Scene> {
  const clock = new VirtualClock();
  const host = createHost({ clock });
  const listener = host.socket(AF_INET, SOCK_STREAM);
  listener.bind(at(80));
  listener.listen(1);
  const client = host.socket(AF_INET, SOCK_STREAM);
  client.connect(at(80));
  await clock.advance(10);
  const accepted = listener.accept() as Socket;
  client.send(new Uint8Array(5000));
  await clock.advance(10);
  return { host, clock, listener, client, accepted };
}

describe('host.close() with sockets that are open', () => {
  it('tells listeners: accept gives ENETDOWN, and nothing can be listened to again', async () => {
    const { host, clock, listener } = await scene();
    const told: number[] = [];
    listener.onReady = (mask) => told.push(mask);
    await host.close({ timeout: 0 });
    await clock.advance(0);
    expect(told).to.deep.equal([POLLIN | POLLHUP]);
    expect([listener.poll(), listener.accept(), listener.accept()]).to.deep.equal([
      POLLIN | POLLHUP,
      -ENETDOWN,
      -ENETDOWN,
    ]);
  });

  it('tells connections: ECONNABORTED once, behind what had come; the socket connects no more', async () => {
    const { host, clock, client, accepted } = await scene();
    await host.close({ timeout: 0 });
    await clock.advance(0);
    for (const socket of [client, accepted]) expect(socket.poll()).to.equal(ENDED);
    expect([accepted.recv(room()), accepted.recv(room()), accepted.recv(room())]).to.deep.equal([
      5000,
      -ECONNABORTED,
      0,
    ]);
    expect(accepted.connect(at(80))).to.equal(-EISCONN);
    expect(client.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(ECONNABORTED);
  });

  it('leaves the others of no use: ENETDOWN', async () => {
    const { host } = await scene();
    const [bound, fresh] = [host.socket(AF_INET, SOCK_STREAM), host.socket(AF_INET, SOCK_STREAM)];
    const [datagrams, connected] = [host.socket(AF_INET, SOCK_DGRAM), host.socket(AF_INET, SOCK_DGRAM)];
    bound.bind(at(81));
    connected.connect(at(53));
    await host.close({ timeout: 0 });
    expect([bound.connect(at(80)), bound.listen(1)]).to.deep.equal([-ENETDOWN, -ENETDOWN]);
    expect([fresh.bind(at(82)), fresh.connect(at(80)), fresh.listen(1)]).to.deep.equal(Array(3).fill(-ENETDOWN));
    expect([datagrams.bind(at(53)), datagrams.connect(at(53))]).to.deep.equal([-ENETDOWN, -ENETDOWN]);
    expect(datagrams.send(room(), 0, at(53))).to.equal(-ENETDOWN);
    expect([connected.send(room()), connected.send(room())]).to.deep.equal([-ENETDOWN, -ENETDOWN]);
    expect(host.sockets()).to.deep.equal([]);
  });

  it('ports and memory are given back with their sockets, at the latest', async () => {
    const { host, clock, listener, client, accepted } = await scene();
    const datagrams = host.socket(AF_INET, SOCK_DGRAM);
    datagrams.bind(at(53));
    datagrams.send(room(), 0, at(53));
    await host.close({ timeout: 0 });
    const sockets = [listener, client, accepted, datagrams];
    expect(sockets.map((each) => each.close())).to.deep.equal([0, 0, 0, 0]);
    await clock.advance(0);
    const { slab, ports, tcp, udp } = listener.stack;
    const left = [slab.live, ports.size, tcp.timers.size, tcp.idleTimers.size, udp.table.size, udp.pool.live];
    expect(left).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });
});
