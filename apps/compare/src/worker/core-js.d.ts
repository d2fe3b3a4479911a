// core-js comes without types; its proposals are imported for what they do to globalThis.
declare module 'core-js/proposals/explicit-resource-management';
