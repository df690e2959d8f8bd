/** The four services that the benchmarks talk to, on BSD sockets of a host: sink, source, echo, and accept-then-close. */
import type { Host } from '../src/host.ts';
import { AF_INET, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY } from '../src/socket/constants.ts';
import { EAGAIN } from '../src/socket/errno.ts';
import type { Socket } from '../src/socket/socket.ts';
import { IPV4_ANY } from '../src/wire/address.ts';

export const SINK_PORT = 5001;
export const SOURCE_PORT = 5002;
export const ECHO_PORT = 5003;
export const CLOSE_PORT = 5004;
export const HTTP_PORT = 5005;

const BACKLOG = 4096;
const buffer = new Uint8Array(256 * 1024);

export function serve(host: Host): void {
  listen(host, SINK_PORT, sink);
  listen(host, SOURCE_PORT, source);
  listen(host, ECHO_PORT, echo);
  listen(host, CLOSE_PORT, (socket) => socket.close());
}

/** Calls `service` for each connection to the port. */
function listen(host: Host, port: number, service: (socket: Socket) => void): void {
  const listener = host.socket(AF_INET, SOCK_STREAM);
  listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  const bound = listener.bind({ address: IPV4_ANY, port }) || listener.listen(BACKLOG);
  if (bound < 0) throw new Error(`listen on ${port}: ${bound}`);
  listener.onReady = () => {
    for (let socket = listener.accept(); typeof socket !== 'number'; socket = listener.accept()) service(socket);
  };
}

/** Reads all there is and forgets it; closes at the end of the stream. */
function sink(socket: Socket): void {
  const drain = () => {
    let got = socket.recv(buffer);
    while (got > 0) got = socket.recv(buffer);
    if (got !== -EAGAIN) socket.close();
  };
  socket.onReady = drain;
  drain();
}

/** Writes as much as the send buffer takes, for as long as the peer is there. */
function source(socket: Socket): void {
  const fill = () => {
    let sent = socket.send(buffer);
    while (sent > 0) sent = socket.send(buffer);
    if (sent !== -EAGAIN) return void socket.close();
    if (socket.recv(buffer) === 0) socket.close();
  };
  socket.onReady = fill;
  fill();
}

/** Sends back what comes; what the send buffer does not take is lost, so it is for small messages. */
function echo(socket: Socket): void {
  socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  const answer = () => {
    let got = socket.recv(buffer);
    for (; got > 0; got = socket.recv(buffer)) socket.send(buffer.subarray(0, got));
    if (got !== -EAGAIN) socket.close();
  };
  socket.onReady = answer;
  answer();
}
