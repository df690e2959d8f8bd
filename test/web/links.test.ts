/** Links over MessagePort and WebSocket. */
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import type { Link } from '../../src/link/link.ts';
import { linkFromMessagePort, type PacketPort } from '../../src/web/message-port.ts';
import { linkFromWebSocket, type PacketWebSocket } from '../../src/web/websocket.ts';

/** 1 MB from one host to the other and back, over real time. */
async function transfer(left: Link, right: Link): Promise<void> {
  const client = createHost({ link: left, address: ['10.9.0.1/24', 'fd00::1/64'] });
  const server = createHost({ link: right, address: ['10.9.0.2/24', 'fd00::2/64'] });
  const listener = await server.listen('tcp', '[fd00::2]:80');
  const accepted = listener.accept();
  const conn = await client.dial('tcp', '[fd00::2]:80');
  const peer = await accepted;
  const echo = peer.readable.pipeTo(peer.writable);
  const sent = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) >> 2);
  const writing = conn.write(sent).then(() => conn.closeWrite());
  const chunks: Uint8Array[] = [];
  for await (const chunk of conn) chunks.push(chunk);
  await Promise.all([writing, echo]);
  conn.close();
  expect(Buffer.compare(Buffer.concat(chunks), sent)).to.equal(0);
  await Promise.all([client.close(), server.close()]);
}

describe('web: linkFromMessagePort', () => {
  it('joins two hosts', async () => {
    const { port1, port2 } = new MessageChannel();
    await transfer(
      linkFromMessagePort(port1 as unknown as PacketPort),
      linkFromMessagePort(port2 as unknown as PacketPort),
    );
  });

  it('ends with the other end, and leaves alone what is no packet', async () => {
    const { port1, port2 } = new MessageChannel();
    const host = createHost({ link: linkFromMessagePort(port1 as unknown as PacketPort), address: '10.9.0.1/24' });
    port2.postMessage('hello');
    port2.postMessage({ a: 1 });
    const dialling = host.dial('tcp', '10.9.0.2:80');
    setTimeout(() => linkFromMessagePort(port2 as unknown as PacketPort).close(), 20);
    const error = await dialling.catch((reason: Error) => reason);
    expect((error as Error).message).to.equal('dial tcp 10.9.0.2:80: connect: network is down');
    await host.close();
  });

  it('says what it needs', () => {
    expect(() => linkFromMessagePort({} as PacketPort)).to.throw(TypeError, /MessagePort is needed/);
    const { port1 } = new MessageChannel();
    expect(() => linkFromMessagePort(port1 as unknown as PacketPort, { mtu: 10 })).to.throw(RangeError, /mtu/);
    port1.close();
  });
});

/** One end of two sockets that are joined; what is sent waits until `open`. */
class FakeSocket implements PacketWebSocket {
  binaryType = 'blob';
  readyState = 0;
  bufferedAmount = 0;
  peer!: FakeSocket;
  readonly #listeners: [string, (event: { data: unknown; message?: string }) => void][] = [];

  addEventListener(type: string, listener: (event: { data: unknown; message?: string }) => void): void {
    this.#listeners.push([type, listener]);
  }

  emit(type: string, event: { data?: unknown; message?: string } = {}): void {
    for (const [name, listener] of this.#listeners) if (name === type) listener(event as { data: unknown });
  }

  open(): void {
    this.readyState = 1;
    this.emit('open');
  }

  send(data: Uint8Array): void {
    if (this.readyState !== 1) throw new Error('not open');
    const copy = data.slice().buffer;
    this.bufferedAmount += data.length;
    setImmediate(() => {
      this.bufferedAmount -= data.length;
      if (this.peer.readyState === 1) this.peer.emit('message', { data: copy });
    });
  }

  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    setImmediate(() => {
      this.emit('close');
      this.peer.close();
    });
  }
}

function sockets(): [FakeSocket, FakeSocket] {
  const [a, b] = [new FakeSocket(), new FakeSocket()];
  a.peer = b;
  b.peer = a;
  return [a, b];
}

describe('web: linkFromWebSocket', () => {
  it('joins two hosts, with packets that waited for the socket to open, and backpressure', async () => {
    const [a, b] = sockets();
    setTimeout(() => a.open(), 20);
    b.open();
    await transfer(linkFromWebSocket(a, { highWaterMark: 20_000 }), linkFromWebSocket(b));
    expect([a.binaryType, a.readyState]).to.deep.equal(['arraybuffer', 3]);
  });

  it('of a socket that is closed already is down', async () => {
    const [a] = sockets();
    a.readyState = 3;
    const host = createHost({ link: linkFromWebSocket(a), address: '10.9.0.1/24' });
    const error = await host.dial('tcp', '10.9.0.2:80', { timeout: 10_000 }).catch((reason: Error) => reason);
    expect((error as Error).message).to.match(/network is (down|unreachable)$/);
    await host.close();
  });

  it('ends with the socket, with its error', async () => {
    const [a] = sockets();
    a.open();
    const host = createHost({ link: linkFromWebSocket(a), address: '10.9.0.1/24' });
    const dialling = host.dial('tcp', '10.9.0.2:80');
    setTimeout(() => {
      a.emit('error', { message: 'gone' });
      a.close();
    }, 20);
    expect(((await dialling.catch((reason: Error) => reason)) as Error).message).to.match(/network is down$/);
    await host.close();
  });

  it('says what it needs', () => {
    expect(() => linkFromWebSocket({} as PacketWebSocket)).to.throw(TypeError, /WebSocket is needed/);
    const [a] = sockets();
    expect(() => linkFromWebSocket(a, { highWaterMark: 0 })).to.throw(TypeError, /highWaterMark/);
    expect(() => linkFromWebSocket(a, { mtu: 10 })).to.throw(RangeError, /mtu/);
  });
});
