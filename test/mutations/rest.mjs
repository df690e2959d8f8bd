/** Rules of what the user holds back, and of rarer options, each broken in one way. See scripts/mutate.mjs. */
export default [
  {
    file: 'tcp/persist',
    name: 'an acknowledgment does not start the persist timer anew',
    find: 'if (outstanding || connection.timerAt(PERSIST) === Infinity) return;',
    replace: 'return;',
  },
  {
    file: 'tcp/persist',
    name: 'MSG_MORE outlasts acknowledgments',
    find: 'if (connection.moreToCome === MORE_AWAITED) {',
    replace: 'if (false) {',
  },
  {
    file: 'tcp/output',
    name: 'MSG_MORE pushes',
    find: 'if (connection.moreToCome !== NO_MORE && !connection.finQueued && end === connection.sendQueue.end) return false;',
    replace: '',
  },
  {
    file: 'tcp/info',
    name: 'the SYN of an active open is no byte that is acknowledged',
    find: ' + Number(connection.active && connection.sndUna !== connection.iss)',
    replace: '',
  },
  {
    file: 'tcp/arrives',
    name: 'segments that come are not counted',
    find: 'connection.segsIn += segment.pieces;',
    replace: '',
  },
  {
    file: 'tcp/recovery',
    name: 'timeouts never end',
    find: 'if (recovery !== undefined && connection.caState !== CA_LOSS)',
    replace: 'if (false)',
  },
  {
    file: 'tcp/listener-arrives',
    name: 'no SYN is saved',
    find: 'if (listener.settings.rare.saveSyn !== 0)',
    replace: 'if (false)',
  },
  {
    file: 'socket/tcp-options',
    name: 'a saved SYN is given twice',
    find: 'settings.rarely.savedSyn = undefined;',
    replace: '',
  },
];
