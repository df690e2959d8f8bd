/** What ends a dial, or a lookup, early. */
import type { Closable } from './descriptor.ts';
import { abortError, DNSError, errClosed, errTimeout, type NetError } from './errors.ts';
import { splitHostPort } from './host-port.ts';
import type { Net } from './net.ts';

export interface Limits {
  /** On the monotonic clock, ms; undefined: none. */
  readonly deadline: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A name that nobody waits for any more: the error says why, and is as temporary as that. */
export function unresolved(host: string, cause: NetError): DNSError {
  return new DNSError(cause.message, host, { isTimeout: cause.timeout, isTemporary: cause.temporary, cause });
}

/** The host of an address, once somebody asks. */
export function hostOf(address: string): () => string {
  return () => splitHostPort(address).host;
}

/**
 * Waits for a lookup no longer than the limits allow, and the host is open; what is late is let go.
 * @param host what is looked up, for the error
 */
export function within<T>(
  { stack: { clock }, open }: Pick<Net, 'stack' | 'open'>,
  limits: Limits,
  host: () => string,
  lookup: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deadline, signal } = limits;
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    let waiting = true;
    const timer = deadline === undefined ? undefined : clock.timer(() => giveUp(errTimeout));
    // A literal is resolved before the turn ends: Go reports such a dial by its address, not by its lookup.
    const aborted = () => clock.defer(() => giveUp(abortError(signal as AbortSignal)));
    const whole: Closable = { isClosed: false, close: () => giveUp(errClosed) };
    const settle = () => {
      if (!waiting) return;
      waiting = false;
      open.delete(whole);
      timer?.clear();
      signal?.removeEventListener('abort', aborted);
      clock.unhold();
    };
    const giveUp = (cause: NetError) => {
      if (!waiting) return;
      settle();
      reject(cause === errClosed ? cause : unresolved(host(), cause));
      controller.abort(cause);
    };
    clock.hold();
    open.add(whole);
    timer?.set(Math.max(deadline as number, clock.now()));
    // A name is not looked up any more when there is no time for it, known or not.
    if (signal?.aborted) controller.abort(abortError(signal));
    else if (deadline !== undefined && deadline <= clock.now()) controller.abort(errTimeout);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
    lookup(controller.signal).finally(settle).then(resolve, reject);
  });
}
