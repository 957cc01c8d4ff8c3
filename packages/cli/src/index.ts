export { AdminClient, type AdminEvent, type DeployOptions, type Progress } from './client.ts';
export { type ConnectionOptions, connect } from './connection.ts';
export { AdminProblem } from './problem.ts';
