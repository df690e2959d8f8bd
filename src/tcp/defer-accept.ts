/** TCP_DEFER_ACCEPT: seconds for the user, timeouts of the SYN-ACK for the listener, as Linux converts them. */

/** The SYN-ACK's first timeout and the longest, seconds. */
const FIRST = 1;
const LONGEST = 120;
const MOST = 255;

/** @returns how many timeouts cover so many seconds; 0 for 0 and less */
export function secondsToTimeouts(seconds: number): number {
  if (seconds <= 0) return 0;
  let timeout = FIRST;
  let count = 1;
  for (let period = timeout; period < seconds && count < MOST; period += timeout) {
    timeout = Math.min(timeout * 2, LONGEST);
    count++;
  }
  return count;
}

/** @returns the seconds that so many timeouts take */
export function timeoutsToSeconds(count: number): number {
  let period = 0;
  for (let i = 0, timeout = FIRST; i < count; i++, timeout = Math.min(timeout * 2, LONGEST)) period += timeout;
  return period;
}
