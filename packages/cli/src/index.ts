export { AdminClient, type AdminEvent, type DeployOptions, type Progress } from './client/client.ts';
export { type ConnectionOptions, connect } from './client/connection.ts';
export { AdminProblem } from './client/problem.ts';
