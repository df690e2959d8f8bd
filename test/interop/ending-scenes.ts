/** What ending.test.ts plays in a network namespace of its own: how connections end, or do not begin. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { OpError } from '../../src/net/op-error.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { echoAll, readText } from './crowd-scenes.ts';
import { type Ground, OURS, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

const HELLO = new TextEncoder().encode('hello');
const MEGABYTE = 1_000_000;

/** A client of the kernel's, in this process, and our end. */
async function clientAndConn(ground: Ground): Promise<{ socket: Socket; conn: TCPConn }> {
  const listener = await ground.host.listen('tcp', ':7', { keepAlive: -1 });
  const socket = connect({ port: 7, host: OURS, allowHalfOpen: true });
  const [conn] = await ground.within(3000, 'a connection', Promise.all([listener.accept(), once(socket, 'connect')]));
  listener.close();
  return { socket, conn };
}

/** The error's code, `none` when there is none. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as OpError).code ?? (error as Error).message;
  }
}

/** What ends a kernel socket: the code of its error, or `end`. */
async function endOf(socket: Socket): Promise<string> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('end', () => resolve('end'));
  });
}

/** SO_LINGER 0 on the kernel's side. */
export function kernelResets() {
  return onGround({}, async (ground) => {
    const { socket, conn } = await clientAndConn(ground);
    socket.write('hello');
    const text = await ground.within(2000, 'the greeting', readText(conn, HELLO.length));
    const waiting = codeOf(conn.read(new Uint8Array(10)));
    socket.resetAndDestroy();
    const read = await ground.within(2000, 'the reset', waiting);
    const write = await codeOf(conn.write(HELLO));
    conn.close();
    return { text, read, write };
  });
}

/** The kernel ends its stream; ours goes on. */
export function kernelHalfCloses() {
  return onGround({}, async (ground) => {
    const { socket, conn } = await clientAndConn(ground);
    socket.end('hello');
    const text = await ground.within(2000, 'the greeting', readText(conn, 100));
    const received = countOf(socket);
    await ground.within(2000, 'a megabyte', conn.write(new Uint8Array(MEGABYTE)));
    conn.close();
    return { text, received: await ground.within(2000, 'the end', received) };
  });
}

/** We end our stream; the kernel's goes on. */
export function weHalfClose() {
  return onGround({}, async (ground) => {
    const { socket, conn } = await clientAndConn(ground);
    await conn.write(HELLO);
    conn.closeWrite();
    const text = await ground.within(2000, 'the greeting', textOf(socket));
    socket.end(new Uint8Array(MEGABYTE));
    let received = 0;
    const buffer = new Uint8Array(100_000);
    for (let got = await conn.read(buffer); got !== null; got = await conn.read(buffer)) received += got;
    conn.close();
    return { text, received };
  });
}

async function countOf(socket: Socket): Promise<number> {
  let count = 0;
  for await (const data of socket) count += (data as Buffer).length;
  return count;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data: Buffer) => {
    text += data.toString();
  });
  await once(socket, 'end');
  return text;
}

/** Our SO_LINGER 0. */
export function weReset() {
  return onGround({}, async (ground) => {
    const { socket, conn } = await clientAndConn(ground);
    const ended = endOf(socket);
    conn.setLinger(0);
    conn.close();
    return { ended: await ground.within(2000, 'the reset', ended) };
  });
}

/** RFC 2525 2.17: closed with something unread. */
export function weCloseUnread() {
  return onGround({}, async (ground) => {
    const { socket, conn } = await clientAndConn(ground);
    socket.write('nobody reads this');
    await ground.until(2000, 'something unread', () => ground.host.sockets().some(({ recvQ }) => recvQ > 0));
    const ended = endOf(socket);
    conn.close();
    return { ended: await ground.within(2000, 'the reset', ended) };
  });
}

/** Both sides end at once, many times: simultaneous closes among them. */
export function bothEnd(count: number) {
  return onGround({}, async (ground) => {
    const listener = await ground.host.listen('tcp', ':7');
    let ended = 0;
    for (let i = 0; i < count; i++) {
      const socket = connect({ port: 7, host: OURS, allowHalfOpen: true });
      const [conn] = await ground.within(
        3000,
        'a connection',
        Promise.all([listener.accept(), once(socket, 'connect')]),
      );
      const end = endOf(socket);
      socket.end('hello');
      conn.closeWrite();
      const text = await ground.within(2000, 'the greeting', readText(conn, 100));
      conn.close();
      if ((await ground.within(2000, 'the end', end)) === 'end' && text === 'hello') ended++;
    }
    listener.close();
    return { ended };
  });
}

/** Our keepalive against a kernel that has fallen silent: 1 s idle, then two probes, 1 s apart. */
export function ourKeepalive() {
  return onGround({}, async (ground) => {
    const listening = await ground.kernel.listen('hold');
    const keepAliveConfig = { enable: true, idle: 1000, interval: 1000, count: 2 };
    const conn = await ground.host.dial('tcp', `10.9.0.1:${listening}`, { keepAliveConfig });
    const read = codeOf(conn.read(new Uint8Array(1)));
    // One probe is answered.
    await ground.until(3000, 'a first probe', () => ground.host.counters.TCPKeepAlive === 1);
    await ground.until(1000, 'its answer', () => ground.watch.tally.in.bareAcks > 0);
    ground.watch.isSilent = true;
    const began = performance.now();
    const code = await ground.within(8000, 'the verdict of keepalive', read);
    const seconds = (performance.now() - began) / 1000;
    ground.watch.isSilent = false;
    conn.close();
    return { code, seconds };
  });
}

/** The kernel's keepalive against us: libuv has it probe every second after `idle`. */
export function kernelKeepalive() {
  return onGround({}, async (ground) => {
    const { socket, conn } = await clientAndConn(ground);
    socket.setKeepAlive(true, 1000);
    await ground.until(5000, 'two answered probes', () => (ground.account().kernel['TCPKeepAlive'] ?? 0) >= 2);
    socket.write('hello');
    const text = await ground.within(2000, 'the greeting', readText(conn, HELLO.length));
    const ended = endOf(socket);
    conn.close();
    await ground.within(2000, 'the end', ended);
    socket.destroy();
    return { text };
  });
}

/** A listener of ours that accepts nothing, then everything. */
export function ourBacklog(backlog: number, late: number) {
  return onGround({}, async (ground) => {
    const listener = await ground.host.listen('tcp', ':7', { backlog });
    const early = Array.from({ length: backlog + 1 }, () => connect(7, OURS));
    await ground.within(3000, 'backlog + 1 connections', Promise.all(early.map((socket) => once(socket, 'connect'))));
    // The kernel is connected before we have seen its ACK.
    const waiting = () => ground.host.sockets().find(({ state }) => state === 'LISTEN')?.recvQ;
    await ground.until(2000, 'a full queue', () => waiting() === backlog + 1);
    const others = Array.from({ length: late }, () => connect(7, OURS));
    const connected = others.map((socket) => once(socket, 'connect'));
    await ground.until(2000, 'dropped SYNs', () => ground.host.counters.ListenOverflows >= late);
    const established = ground.host.sockets().filter(({ state }) => state === 'ESTABLISHED').length;
    void echoAll(listener);
    // Their SYNs come again after a second.
    await ground.within(5000, 'the late connections', Promise.all(connected));
    const echoed = await ground.within(5000, 'the echoes', Promise.all([...early, ...others].map(echoes)));
    listener.close();
    return { established, echoed: echoed.filter(Boolean).length };
  });
}

/** More clients at once than the queue takes: some believe they are connected, and we have dropped their ACK. */
export function ourBacklogAtOnce(backlog: number, count: number) {
  return onGround({}, async (ground) => {
    const listener = await ground.host.listen('tcp', ':7', { backlog });
    const sockets = Array.from({ length: count }, () => connect(7, OURS));
    const echoed = Promise.all(sockets.map(echoes));
    await ground.until(2000, 'an overflow', () => ground.host.counters.ListenOverflows > 0);
    const established = ground.host.sockets().filter(({ state }) => state === 'ESTABLISHED').length;
    void echoAll(listener);
    const all = await ground.within(9000, 'the echoes', echoed);
    listener.close();
    return { established, echoed: all.filter(Boolean).length };
  });
}

async function echoes(socket: Socket): Promise<boolean> {
  socket.write('hello');
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.end();
  await once(socket, 'close');
  return data.toString() === 'hello';
}

/** A kernel listener with a backlog of 1 whose process is away for a while. */
export function kernelBacklog(count: number) {
  return onGround({}, async (ground) => {
    const port = await ground.kernel.listen('echo', 1);
    const away = ground.kernel.freeze(1500);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const dials: Promise<TCPConn>[] = [];
    for (let i = 0; i < count; i++) dials.push(ground.host.dial('tcp', `10.9.0.1:${port}`));
    const conns = await ground.within(9000, 'the dials', Promise.all(dials));
    const texts = conns.map(async (conn) => {
      await conn.write(HELLO);
      const text = await readText(conn, HELLO.length);
      conn.close();
      return text;
    });
    const all = await ground.within(5000, 'the echoes', Promise.all(texts));
    await away;
    return { echoed: all.filter((text) => text === 'hello').length };
  });
}
