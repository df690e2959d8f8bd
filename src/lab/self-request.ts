/** The two requests that the lab makes itself, one in each direction, and their ladders. */
import { httpAgent } from '../node/http.ts';
import type { Flow } from './flow.ts';
import { ladderOf } from './flow-ladder.ts';
import type { Lab } from './lab.ts';
import { LabError } from './lab-error.ts';
import { type Answer, request } from './peer.ts';
import type { Followed } from './recorder.ts';
import { HTTP_PORT } from './services.ts';

/** What an answer, and then the closing of its connection, may take, ms. */
const PATIENCE = 5000;

/** The other end asks us. @throws LabError (as a rejection) saying what did not happen */
export async function requestToHost(lab: Lab): Promise<void> {
  const { peer, network, screen } = lab;
  screen.print(
    '',
    `1. ${sentence(`the ${peer.name} asks tunstack for http://${network.host}/`)}`,
    '   SYN, SYN ACK, ACK: the handshake, with what each side can do (mss, window scale, SACK, timestamps).',
    '   Then the request, the answer, and a FIN from each side with the ACK that ends it.',
    '',
  );
  const followed = lab.recorder.follow(({ dialled, localPort }) => !dialled && localPort === HTTP_PORT);
  await showRequest(lab, followed, peer.get(network.host, HTTP_PORT, PATIENCE));
}

/** We ask the other end. @throws LabError (as a rejection) saying what did not happen */
export async function requestToPeer(lab: Lab): Promise<void> {
  const { host, peer, network, screen } = lab;
  const served = await peer.serve((_, response) => {
    response.end(`hello from the ${peer.name}\n`);
  });
  screen.print(
    '',
    `2. ${sentence(`tunstack asks a server of the ${peer.name}, http://${network.peer}:${served.port}/`)}`,
    '   The same the other way round: now the SYN is ours.',
    '',
  );
  try {
    const followed = lab.recorder.follow(({ dialled, remotePort }) => dialled && remotePort === served.port);
    await showRequest(lab, followed, request(httpAgent(host), network.peer, served.port, PATIENCE));
  } finally {
    served.close();
  }
}

/** Waits for the answer and for the end of its connection, and prints the ladder of what was seen, whatever came of it. */
async function showRequest(lab: Lab, followed: Followed, asked: Promise<Answer>): Promise<void> {
  let failure: string | undefined;
  try {
    const { status } = await asked;
    if (status !== 200) failure = `the answer was status ${status}`;
  } catch (error) {
    failure = (error as Error).message;
  }
  const { flow } = followed;
  const isClosed = flow !== undefined && (await within(flow.closed, failure === undefined ? PATIENCE : 0));
  if (flow !== undefined) lab.screen.print(...ladderOf(flow, lab));
  if (!isClosed) failure ??= `its connection was not closed after ${PATIENCE / 1000} s`;
  else if (flow.reason !== undefined) failure ??= `its connection ended: ${flow.reason}`;
  if (failure !== undefined) throw new LabError(`the request failed: ${failure}${suspicion(lab, flow)}`);
}

/** What is most often in the way: nothing came back on a device that works. */
function suspicion({ link }: Lab, flow: Flow | undefined): string {
  if (link.kind === 'pipe' || flow?.state !== 'opening') return '';
  return `: nothing came of the SYN; does a firewall (nftables, ufw, firewalld) drop what goes over ${link.link.name}? --link namespace has none`;
}

async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}
