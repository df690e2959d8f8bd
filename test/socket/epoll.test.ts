/** epoll(7): readiness of many sockets, by level and by edge. */
import { expect } from 'chai';
import {
  AF_INET,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  SOCK_DGRAM,
  SOCK_STREAM,
} from '../../src/socket/constants.ts';
import type { Epoll } from '../../src/socket/epoll.ts';
import { EBADF, EEXIST, EINVAL, ENOENT, errnoName, errnoText } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { connectedHosts, type Pair } from '../support/pair.ts';

const SERVER = IpAddress.parse('10.9.0.2') as IpAddress;

describe('epoll', () => {
  let pair: Pair;
  let epoll: Epoll<string>;
  let client: Socket;
  let server: Socket;
  let listener: Socket;

  beforeEach(async () => {
    pair = connectedHosts();
    epoll = pair.server.epoll<string>();
    listener = pair.server.socket(AF_INET, SOCK_STREAM) as Socket;
    listener.bind({ address: SERVER, port: 80 });
    listener.listen(5);
    client = pair.client.socket(AF_INET, SOCK_STREAM) as Socket;
    client.connect({ address: SERVER, port: 80 });
    await pair.clock.advance(100);
    server = listener.accept() as Socket;
  });
  afterEach(() => pair.close());

  const send = async (text: string) => {
    client.send(new TextEncoder().encode(text));
    await pair.clock.advance(100);
  };
  const names = () => epoll.wait().map(({ events, data }) => `${data} ${events}`);

  it('level-triggered: as long as there is something', async () => {
    expect(epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN, 'server')).to.equal(0);
    expect(names()).to.deep.equal([]);
    await send('ab');
    expect(names()).to.deep.equal(['server 1']);
    expect(names()).to.deep.equal(['server 1']);
    server.recv(new Uint8Array(1));
    expect(names()).to.deep.equal(['server 1']);
    server.recv(new Uint8Array(1));
    expect(names()).to.deep.equal([]);
    expect([epoll.size]).to.deep.equal([1]);
  });

  it('edge-triggered: once for everything that comes, drained or not', async () => {
    epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN | EPOLLET, 'server');
    await send('ab');
    expect(names()).to.deep.equal(['server 1']);
    expect(names()).to.deep.equal([]);
    await send('c');
    expect(names()).to.deep.equal(['server 1']);
    server.recv(new Uint8Array(10));
    await send('d');
    expect(names()).to.deep.equal(['server 1']);
    expect(names()).to.deep.equal([]);
  });

  it('what is ready when it is added, or changed, is told at once', async () => {
    await send('ab');
    epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN | EPOLLET, 'server');
    expect(names()).to.deep.equal(['server 1']);
    expect(epoll.ctl(EPOLL_CTL_MOD, server, EPOLLIN | EPOLLOUT | EPOLLET, 'other')).to.equal(0);
    expect(names()).to.deep.equal([`other ${EPOLLIN | EPOLLOUT}`]);
  });

  it('EPOLLONESHOT: one event, and none until EPOLL_CTL_MOD', async () => {
    epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN | EPOLLONESHOT, 'server');
    await send('ab');
    expect(names()).to.deep.equal(['server 1']);
    await send('cd');
    expect(names()).to.deep.equal([]);
    epoll.ctl(EPOLL_CTL_MOD, server, EPOLLIN | EPOLLONESHOT, 'again');
    expect(names()).to.deep.equal(['again 1']);
  });

  it('hang-ups are told whether asked for or not', async () => {
    epoll.ctl(EPOLL_CTL_ADD, server, 0, 'server');
    epoll.ctl(EPOLL_CTL_ADD, listener, EPOLLIN, 'listener');
    client.linger = { onoff: 1, linger: 0 };
    client.close();
    await pair.clock.advance(100);
    const [event] = epoll.wait();
    expect([event?.data, (event?.events ?? 0) & (EPOLLHUP | EPOLLRDHUP)]).to.deep.equal(['server', EPOLLHUP]);
  });

  it('listeners, and sockets of UDP', async () => {
    epoll.ctl(EPOLL_CTL_ADD, listener, EPOLLIN, 'listener');
    const datagrams = pair.server.socket(AF_INET, SOCK_DGRAM);
    datagrams.bind({ address: SERVER, port: 53 });
    epoll.ctl(EPOLL_CTL_ADD, datagrams, EPOLLIN | EPOLLET, 'datagrams');
    expect(names()).to.deep.equal([]);
    pair.client.socket(AF_INET, SOCK_STREAM).connect({ address: SERVER, port: 80 });
    const other = pair.client.socket(AF_INET, SOCK_DGRAM);
    other.connect({ address: SERVER, port: 53 });
    other.send(Uint8Array.of(1));
    await pair.clock.advance(100);
    expect(names().sort()).to.deep.equal(['datagrams 1', 'listener 1']);
  });

  it('onReady is told when there is something new, and wait gives as many as asked for, in turns', async () => {
    let told = 0;
    epoll.onReady = () => told++;
    epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN, 'server');
    epoll.ctl(EPOLL_CTL_ADD, listener, EPOLLIN, 'listener');
    pair.client.socket(AF_INET, SOCK_STREAM).connect({ address: SERVER, port: 80 });
    await send('a');
    expect(told).to.equal(2);
    const turns = [epoll.wait(1), epoll.wait(1), epoll.wait(1)].map(([event]) => event?.data);
    expect(turns[0]).to.equal(turns[2]);
    expect(new Set(turns).size).to.equal(2);
  });

  it('a closed socket is forgotten, a closed epoll watches nothing', async () => {
    epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN, 'server');
    await send('a');
    server.close();
    expect([names(), epoll.size]).to.deep.equal([[], 0]);
    epoll.ctl(EPOLL_CTL_ADD, listener, EPOLLIN, 'listener');
    expect([epoll.close(), epoll.close(), epoll.size, listener.pollers]).to.deep.equal([0, -EBADF, 0, undefined]);
  });

  it('errors', () => {
    expect(epoll.ctl(EPOLL_CTL_MOD, server, EPOLLIN)).to.equal(-ENOENT);
    expect(epoll.ctl(EPOLL_CTL_DEL, server)).to.equal(-ENOENT);
    expect(epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN)).to.equal(0);
    expect(epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN)).to.equal(-EEXIST);
    expect(epoll.ctl(9, server, EPOLLIN)).to.equal(-EINVAL);
    expect(epoll.ctl(EPOLL_CTL_DEL, server)).to.equal(0);
    server.close();
    expect(epoll.ctl(EPOLL_CTL_ADD, server, EPOLLIN)).to.equal(-EBADF);
    epoll.close();
    expect(epoll.ctl(EPOLL_CTL_ADD, listener, EPOLLIN)).to.equal(-EBADF);
  });

  it('ctl: what is no socket, or no number, is a TypeError, and nothing is watched', () => {
    for (const none of [Symbol('s'), 1n, undefined, null, {}, NaN])
      expect(() => epoll.ctl(EPOLL_CTL_ADD, none as never)).to.throw(TypeError, 'epoll.ctl: the socket');
    for (const events of [Symbol('s'), 1n, null, {}])
      expect(() => epoll.ctl(EPOLL_CTL_ADD, server, events as never)).to.throw(TypeError, 'epoll.ctl: events');
    expect(epoll.size).to.equal(0);
  });

  it('errnoName and errnoText show what is no number', () => {
    for (const text of [errnoName, errnoText]) {
      expect(text(Symbol('s') as never)).to.equal('errno Symbol(s)');
      expect(text({} as never)).to.equal('errno [object Object]');
    }
  });
});
