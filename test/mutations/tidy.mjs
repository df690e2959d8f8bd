/** The least round trip of late, and what else was left over. */
const least = (name, find, replace = '') => ({ file: 'tcp/least-round-trip', name, find, replace });

export default [
  least('the least round trip is for ever', 'at - (next?.thirdAt ?? connection.minRttAt) > window', 'false'),
  least('the best is never let go', 'if (elapsed > window) {', 'if (false) {'),
  least('the second best may be too old', 'if (at - connection.minRttAt > window) promote(', 'if (false) promote('),
  least('no second best is chosen', 'if (us <= next.second) takeSecond(', 'if (false) takeSecond('),
  least('no third best is chosen', 'else if (us <= next.third) takeThird(', 'else if (false) takeThird('),
  least('the second best is of the first quarter', '&& elapsed > window / 4) {', '&& false) {'),
  least('the third best is of the first half', '&& elapsed > window / 2) {', '&& false) {'),
  {
    file: 'tcp/acknowledge',
    name: 'a delayed acknowledgment is a measure of the path',
    find: 'recent * 1000, maybeDelayed(connection));',
    replace: 'recent * 1000);',
  },
  {
    file: 'tcp/output',
    name: 'a tail loss probe goes beyond its record',
    find: 'Math.min(distance(connection.sndNxt, sendQueue.recordEnd(connection.sndNxt)), waiting, size)',
    replace: 'Math.min(waiting, size)',
  },
  {
    file: 'socket/options',
    name: 'what is unknown has a wrong value',
    find: 'isKnown(socket, level, option) ? -EINVAL : -ENOPROTOOPT;',
    replace: '-EINVAL;',
  },
];
