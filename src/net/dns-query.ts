/** Questions to the servers of a configuration, in turn, and what their answers amount to. As Go's tryOneName, checkHeader and skipToAnswer. */
import { type DnsMessage, RCODE_NAME_ERROR, RCODE_SERVER_FAILURE, RCODE_SUCCESS } from './dns-codec.ts';
import { type DnsMeans, exchange, type Question } from './dns-exchange.ts';
import { abortError, DNSError, type DNSErrorDetails, type NetError } from './errors.ts';
import { OpError } from './op-error.ts';
import type { DnsConfig } from './resolv-conf.ts';
import type { Turnstile } from './turnstile.ts';

export interface Answer {
  readonly message: DnsMessage;
  /** Who gave it. */
  readonly server: string;
}

/** Why a message is of no use. */
type Problem = Pick<DNSErrorDetails, 'isNotFound' | 'isTemporary'> & { readonly text: string };

const NO_SUCH_HOST: Problem = { text: 'no such host', isNotFound: true };
export const CANNOT_UNMARSHAL = 'cannot unmarshal DNS message';

export interface Asking {
  readonly config: DnsConfig;
  /** The place of the server to begin with. */
  readonly firstServer: number;
  /** The name as the user gave it: errors are about it, and not about one of the names that it was made into. */
  readonly shown: string;
  readonly signal: AbortSignal | undefined;
  /** Nothing more is to be asked. */
  readonly isOver: () => boolean;
}

/**
 * Asks each server in turn, as often as the configuration says, until one gives a useful answer, or says that there is none.
 * @throws DNSError (as a rejection) the last server's, or `no such host` of the first that says so
 */
export async function ask(
  means: DnsMeans,
  turnstile: Turnstile,
  question: Question,
  { config, firstServer, shown, signal, isOver }: Asking,
): Promise<Answer> {
  const { servers, attempts } = config;
  let last: DNSError | undefined;
  for (let tried = 0; tried < attempts * servers.length; tried++) {
    const server = servers[(firstServer + tried) % servers.length] as string;
    let message: DnsMessage;
    try {
      message = await turnstile.pass(() => exchange(means, server, question, config, signal));
    } catch (error) {
      if (signal?.aborted) throw failed(abortError(signal), shown, server);
      last = failed(error as Error, shown, server);
      if (isOver()) break;
      continue;
    }
    const problem = problemOf(message, question);
    if (problem === undefined) return { message, server };
    const { text, ...details } = problem;
    last = new DNSError(text, shown, { ...details, server });
    // No other server will know better.
    if (problem.isNotFound) break;
  }
  throw last ?? new DNSError(NO_SUCH_HOST.text, shown, { isNotFound: true });
}

/** Go: what goes wrong with a connection may go well another time. */
function failed(error: Error, name: string, server: string): DNSError {
  const { timeout, temporary } = error as Partial<NetError>;
  return new DNSError(error.message, name, {
    server,
    isTimeout: timeout ?? false,
    isTemporary: error instanceof OpError || (temporary ?? false),
    cause: error,
  });
}

function problemOf(message: DnsMessage, { type }: Question): Problem | undefined {
  const { rcode, answers, answersAreCut } = message;
  if (rcode === RCODE_NAME_ERROR) return NO_SUCH_HOST;
  if (answers.length === 0 && answersAreCut) return { text: CANNOT_UNMARSHAL };
  if (isLame(message)) return { text: 'lame referral' };
  // RFC 2308 7.1: a server's failure says nothing about the name.
  if (rcode === RCODE_SERVER_FAILURE) return { text: 'server misbehaving', isTemporary: true };
  if (rcode !== RCODE_SUCCESS) return { text: 'server misbehaving' };
  if (answers.some((record) => record.type === type)) return undefined;
  // RFC 2308 2.2: the name is there, but no such record of it.
  return answersAreCut ? { text: CANNOT_UNMARSHAL } : NO_SUCH_HOST;
}

/** A server that neither knows nor asks further points at others, and a stub resolver does not go there (RFC 1034 5.3.1): glibc and Go take the next. */
function isLame(message: DnsMessage): boolean {
  const { rcode, isAuthoritative, recursionAvailable, answers, hasAdditional } = message;
  return rcode === RCODE_SUCCESS && !isAuthoritative && !recursionAvailable && answers.length === 0 && !hasAdditional;
}
