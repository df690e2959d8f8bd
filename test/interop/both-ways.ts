/** A connection between the kernel and a tunstack host, over which both send at once. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { exchange, exchangeSocket, type Outcome, type Plan } from './flow.ts';
import { type Ground, OURS } from './ground.ts';

/** @returns our outcome, and the kernel's */
export function bothWays(ground: Ground, dialler: 'kernel' | 'tunstack', plan: Plan): Promise<Outcome[]> {
  return dialler === 'kernel' ? dialledByKernel(ground, plan) : dialledByUs(ground, plan);
}

async function dialledByKernel({ host }: Ground, plan: Plan) {
  const listener = await host.listen('tcp', ':7');
  const accepted = listener.accept().then((conn) => exchange(conn, plan));
  const outcomes = await Promise.all([
    accepted,
    exchangeSocket(connect({ port: 7, host: OURS, allowHalfOpen: true }), plan),
  ]);
  listener.close();
  return outcomes;
}

async function dialledByUs({ host }: Ground, plan: Plan) {
  const server = createServer({ allowHalfOpen: true }).listen(7, '10.9.0.1');
  const accepted = once(server, 'connection').then(([socket]) => exchangeSocket(socket as Socket, plan));
  const conn = await host.dial('tcp', '10.9.0.1:7');
  const outcomes = await Promise.all([exchange(conn, plan), accepted]);
  server.close();
  return outcomes;
}
