/** Settings, soft errors, what packetdrill reads: each broken once. */
export default [
  {
    name: 'settings of any name',
    file: 'stack/sysctl',
    find: "if (byDefault === undefined) return ': there is no such setting';",
    replace: 'if (byDefault === undefined) return undefined;',
  },
  {
    name: 'settings of any kind',
    file: 'stack/sysctl',
    find: 'if (kindOf(value) !== kind)',
    replace: 'if (false)',
  },
  {
    name: 'settings without bounds',
    file: 'stack/sysctl',
    find: 'if (bounds !== undefined && !within(value, bounds)) {',
    replace: 'if (false) {',
  },
  {
    name: 'ports in any order',
    file: 'stack/sysctl',
    find: 'within(high, [low, 65_535])',
    replace: 'within(high, [1, 65_535])',
  },
  {
    name: 'a list that was given stays the caller’s',
    file: 'stack/sysctl',
    find: 'Array.isArray(value) ? Object.freeze([...value]) : value',
    replace: 'value',
  },
  {
    name: 'SO_ERROR without soft errors',
    file: 'socket/socket-options',
    find: 'return socket.takeError() || takeSoftError(socket);',
    replace: 'return socket.takeError();',
  },
  {
    name: 'a soft error is told again and again',
    file: 'socket/socket-options',
    find: '  connection.softReason = REASON_NONE;\n',
    replace: '',
  },
];
