/** The four services of services.ts on the faces with promises and events: Go's net on a host of ours, and node:net on the kernel. */
import http from 'node:http';
import net from 'node:net';
import type { Host } from '../src/host.ts';
import type { TCPConn } from '../src/net/tcp-conn.ts';
import { CLOSE_PORT, ECHO_PORT, HTTP_PORT, SINK_PORT, SOURCE_PORT } from './services.ts';

const LENGTH = 256 * 1024;
const BACKLOG = 4096;

/** On `host.listen`, `accept`, and `read` and `write` of a TCPConn. */
export async function serveNet(host: Host): Promise<void> {
  // What is thrown away can share a buffer, so that an idle connection holds none.
  const buffer = new Uint8Array(LENGTH);
  await accept(host, SINK_PORT, async (connection) => {
    while ((await connection.read(buffer)) !== null);
  });
  await accept(host, SOURCE_PORT, async (connection) => {
    for (;;) await connection.write(buffer);
  });
  await accept(host, ECHO_PORT, async (connection) => {
    for await (const bytes of connection) await connection.write(bytes);
  });
  await accept(host, CLOSE_PORT, async () => {});
}

/** Closes a connection when its service has ended, by a failure too: a load generator leaves with a RST. */
async function accept(host: Host, port: number, service: (connection: TCPConn) => Promise<void>): Promise<void> {
  const listener = await host.listen('tcp', `:${port}`, { backlog: BACKLOG });
  void (async () => {
    for await (const connection of listener) {
      service(connection)
        .catch(() => {})
        .finally(() => connection.close());
    }
  })();
}

/** Node's, or one of `createNet`: what the services below use of it. */
export type Net = Pick<typeof net, 'createServer' | 'connect'>;

/** On node:net, as one would write it there. */
export async function serveNode(host: string, on: Net = net): Promise<void> {
  const listen = (port: number, service: (socket: net.Socket) => void) => listenAt(on, host, port, service);
  const zeros = Buffer.alloc(LENGTH);
  await listen(SINK_PORT, (socket) => void socket.on('data', () => {}));
  await listen(SOURCE_PORT, (socket) => {
    const pump = () => {
      while (!socket.destroyed && socket.write(zeros));
    };
    socket.resume().on('drain', pump);
    pump();
  });
  await listen(ECHO_PORT, (socket) => void socket.on('data', (data) => socket.write(data)));
  await listen(CLOSE_PORT, (socket) => void socket.resume().end());
}

/** Node's HTTP server on connections of that net: each request is answered with a line. */
export function serveHttp(host: string, on: Net = net): Promise<void> {
  const server = http.createServer((_request, response) => void response.end('hello, world\n'));
  return listenAt(on, host, HTTP_PORT, (socket) => void server.emit('connection', socket));
}

function listenAt(on: Net, host: string, port: number, service: (socket: net.Socket) => void): Promise<void> {
  const server = on.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    service(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, resolve);
  });
}
