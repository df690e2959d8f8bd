/** Who is at the other end of the lab's link: the kernel, spoken to by Node's own sockets, or a second tunstack host. */
import { type Agent, createServer, get, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Host } from '../host.ts';
import { httpAgent, serveHttp } from '../node/http.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A server that lasts for one request. */
export interface Served {
  readonly port: number;
  close(): void;
}

export interface Peer {
  /** `kernel`, for the ladder's head. */
  readonly name: string;
  /** Requests `http://<address>:<port>/` on a connection of its own, which ends with the answer. */
  get(address: string, port: number, timeout: number): Promise<Answer>;
  /** Listens on a free port of the peer's address. */
  serve(answer: RequestListener): Promise<Served>;
}

/**
 * One request on a connection of its own. `agent` undefined: over the kernel's sockets.
 * @throws Error (as a rejection) when there is no answer within `timeout` ms, or the connection fails
 */
export function request(agent: Agent | false, address: string, port: number, timeout: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = get({ agent, host: address, port, path: '/', headers: { connection: 'close' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    asked.once('error', reject);
    asked.once('close', () => clearTimeout(timer));
  });
}

/** The kernel of this machine, in the network namespace that this thread is in. */
export function kernelPeer(own: string): Peer {
  return {
    name: 'kernel',
    get: (address, port, timeout) => request(false, address, port, timeout),
    serve: (answer) =>
      new Promise((resolve, reject) => {
        const server = createServer(answer);
        server.once('error', reject);
        server.listen(0, own, () => {
          const { port } = server.address() as AddressInfo;
          resolve({ port, close: () => server.close() });
        });
      }),
  };
}

/** A tunstack host that plays the kernel's part. */
export function hostPeer(host: Host, own: string): Peer {
  const agent = httpAgent(host);
  return {
    name: 'second host',
    get: (address, port, timeout) => request(agent, address, port, timeout),
    serve: async (answer) => {
      const listener = await host.listen('tcp', `${own}:0`);
      const service = serveHttp(listener, createServer(answer));
      return { port: listener.addr().port, close: () => void service.close() };
    },
  };
}
