// Written by web/generate.py from /openapi.json; not by hand.

export type Id = string | number;
export type Value = string | number | boolean | undefined;

export type Alerts = {
  notification_group_id: number;
  on_failure?: boolean;
  on_partial?: boolean;
  on_recovery?: boolean;
  on_zero_records?: boolean;
  silent_after_minutes?: number | null;
};

export type AlertsView = {
  notification_group_id: number;
  on_failure: boolean;
  on_partial: boolean;
  on_recovery: boolean;
  on_zero_records: boolean;
  silent_after_minutes?: number;
};

export type ApiKey = {
  id: number;
  name: string;
  hint: string;
  created_at: string;
  revoked_at?: string;
};

export type ApiKeyCreate = {
  name: string;
};

export type BulkDiscard = {
  discarded: Array<number>;
};

export type BulkRetry = {
  flow_run_ids: Array<number>;
  skipped: Array<Skipped>;
};

export type BulkStop = {
  stopped: Array<number>;
};

export type BusyFlow = {
  flow_id: number;
  flow_name: string;
  results: Array<Results>;
};

export type CacheEntry = {
  id: number;
  scope: string;
  key: string;
  bytes: number;
  value?: unknown;
  expires_at?: string;
  created_at: string;
  updated_at: string;
};

export type ChannelView = {
  type: "email" | "webhook" | "log";
  to?: Array<string>;
  url?: string;
  secrets?: Array<string>;
};

export type Circuit = {
  state: "closed" | "open" | "half_open";
  opens_until?: string;
};

export type CircuitBreaker = {
  failures: number;
  pause_seconds: number;
};

export type Company = {
  id: number;
  name: string;
  concurrency: number;
  created_at: string;
  updated_at: string;
};

export type CompanyUpdate = {
  name?: string | null;
  concurrency?: number | null;
};

export type Connection = {
  id: number;
  name: string;
  base_url?: string;
  allowed_hosts: Array<string>;
  protocol: string;
  server?: ConnectionServerView;
  auth: ConnectionAuthView;
  headers: Record<string, string>;
  timeout_seconds?: number;
  rate_limit?: RateLimitView;
  circuit_breaker?: CircuitBreaker;
  circuit?: Circuit;
  connector_id?: number;
  variables?: Record<string, string | number | boolean>;
  secrets?: Array<string>;
  created_at: string;
  updated_at: string;
};

export type ConnectionAuth = {
  type?: "none" | "bearer" | "basic" | "header" | "oauth2_client_credentials" | "oauth2_refresh_token" | null;
  token?: string | null;
  username?: string | null;
  password?: string | null;
  name?: string | null;
  value?: string | null;
  token_url?: string | null;
  client_id?: string | null;
  client_secret?: string | null;
  refresh_token?: string | null;
  scope?: string | null;
  audience?: string | null;
  credentials_in?: "body" | "header" | null;
};

export type ConnectionAuthView = {
  type: string;
  username?: string;
  name?: string;
  token_url?: string;
  client_id?: string;
  scope?: string;
  audience?: string;
  credentials_in?: "body" | "header";
  has_secret: boolean;
};

export type ConnectionCreate = {
  name: string;
  base_url?: string | null;
  allowed_hosts?: Array<string> | null;
  auth?: ConnectionAuth | null;
  headers?: Record<string, string> | null;
  timeout_seconds?: number | null;
  rate_limit?: RateLimit | null;
  circuit_breaker?: CircuitBreaker | null;
  protocol?: "http" | "sftp" | "postgresql" | "mysql" | "sqlite" | null;
  server?: ConnectionServer | null;
  connector_id?: number | null;
  variables?: Record<string, string | number | boolean> | null;
  secrets?: Record<string, string | null> | null;
};

export type ConnectionServer = {
  host?: string | null;
  port?: number | null;
  username?: string | null;
  password?: string | null;
  private_key?: string | null;
  host_key?: string | null;
  database?: string | null;
  tls?: boolean | null;
  file?: string | null;
};

export type ConnectionServerView = {
  host?: string;
  port?: number;
  username?: string;
  host_key?: string;
  database?: string;
  tls?: boolean;
  file?: string;
};

export type ConnectionTested = {
  result: "works" | "reached" | "failed";
  message: string;
  duration_ms: number;
  status?: number;
  answer?: string;
};

export type ConnectionUpdate = {
  name?: string | null;
  base_url?: string | null;
  allowed_hosts?: Array<string> | null;
  auth?: ConnectionAuth | null;
  headers?: Record<string, string> | null;
  timeout_seconds?: number | null;
  rate_limit?: RateLimit | null;
  circuit_breaker?: CircuitBreaker | null;
  protocol?: "http" | "sftp" | "postgresql" | "mysql" | "sqlite" | null;
  server?: ConnectionServer | null;
  connector_id?: number | null;
  variables?: Record<string, string | number | boolean> | null;
  secrets?: Record<string, string | null> | null;
};

export type Connector = {
  id: number;
  name: string;
  description: string;
  endpoints_count: number;
  created_at: string;
  updated_at: string;
  document: ConnectorDocument;
};

export type ConnectorAuth = {
  type?: "none" | "bearer" | "basic" | "header" | "oauth2_client_credentials" | "oauth2_refresh_token";
  username?: string | null;
  name?: string | null;
  token_url?: string | null;
  client_id?: string | null;
  scope?: string | null;
  audience?: string | null;
  credentials_in?: "body" | "header" | null;
};

export type ConnectorCreate = {
  name: string;
  description?: string;
  document?: ConnectorDocument;
};

export type ConnectorDocument = {
  base_url?: string | null;
  auth?: ConnectorAuth;
  headers?: Record<string, string>;
  timeout_seconds?: number | null;
  variables?: Array<ConnectorVariable>;
  endpoints?: Array<ConnectorEndpoint>;
};

export type ConnectorEndpoint = {
  key: string;
  name: string;
  description?: string | null;
  direction: "receive" | "send";
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | null;
  path: string;
  query?: Record<string, string | number | boolean>;
  headers?: Record<string, string | number | boolean>;
  body?: JsonValue;
  pagination?: Record<string, JsonValue> | null;
  records?: string | null;
  response_format?: "json" | "text" | "csv" | "xml" | null;
};

export type ConnectorImport = {
  format?: "openapi" | "postman" | null;
  document: Record<string, unknown> | string;
  name?: string | null;
  dry_run?: boolean;
};

export type ConnectorImported = {
  connector_id?: number;
  format: "openapi" | "postman";
  name: string;
  description: string;
  endpoints_count: number;
  document: ConnectorDocument;
  warnings: Array<string>;
};

export type ConnectorSummary = {
  id: number;
  name: string;
  description: string;
  endpoints_count: number;
  created_at: string;
  updated_at: string;
};

export type ConnectorUpdate = {
  name?: string | null;
  description?: string | null;
  document?: ConnectorDocument | null;
};

export type ConnectorVariable = {
  name: string;
  description?: string | null;
  default?: string | number | boolean | null;
  is_secret?: boolean | null;
};

export type DataPool = {
  id: number;
  name: string;
  description: string;
  created_at: string;
  updated_at: string;
};

export type DataPoolCreate = {
  name: string;
  description?: string;
};

export type DataPoolUpdate = {
  name?: string | null;
  description?: string | null;
};

export type DeadLetter = {
  id: number;
  flow_id: number;
  flow_version_id: number;
  iteration: number;
  flow_run_id: number;
  step_key: string;
  step_name: string;
  position: string;
  error_class: string;
  message: string;
  is_caught: boolean;
  content_type: string;
  meta: Record<string, string>;
  bytes: number;
  state: "open" | "retried" | "re-driven" | "discarded";
  resolved_at?: string;
  resolved_by?: number;
  redrive_run_id?: number;
  created_at: string;
};

export type DeadLetterCount = {
  flow_id: number;
  flow_version_id: number;
  iteration: number;
  step_key: string;
  step_name: string;
  error_class: string;
  count: number;
  first_at: string;
  last_at: string;
};

export type EmailChannel = {
  type: "email";
  to: Array<string>;
};

export type EmptyFlow = {
  flow_id: number;
  flow_name: string;
  flow_run_id: number;
  at: string;
};

export type Error = {
  message: string;
  errors?: Record<string, Array<string>>;
};

export type Exchange = {
  id: number;
  flow_run_id: number;
  step_key: string;
  position: string;
  request: ExchangeMessage;
  response?: ExchangeMessage;
  error?: string;
  duration_ms: number;
  created_at: string;
};

export type ExchangeMessage = {
  method?: string;
  status?: number;
  url: string;
  headers: Record<string, string>;
  body_bytes?: number;
  body?: string;
  body_type?: string;
};

export type Explanation = {
  state: string;
  why: string;
  why_now: string;
  why_this_version: string;
  waited_for: Array<string>;
  flow_run_id?: number;
};

export type FailingFlow = {
  flow_id: number;
  flow_name: string;
  count: number;
  is_well_again: boolean;
  flow_run: Run;
};

export type Flow = {
  id: number;
  name: string;
  description: string;
  is_enabled: boolean;
  priority: number;
  labels: Array<string>;
  log_retention_days?: number;
  payload_retention_days?: number;
  concurrency: number;
  concurrency_key?: string;
  run_timeout_seconds?: number;
  alerts?: AlertsView;
  created_at: string;
  updated_at: string;
  results?: Array<Results>;
  latest_run?: Run;
  next_run_at?: string;
  latest_version?: Version;
  deployed_version?: Version;
  current_version?: Version;
  versions?: Array<Version>;
  latest_version_count?: number;
  deployed_version_count?: number;
  current_version_count?: number;
  versions_count?: number;
  latest_version_exists?: boolean;
  deployed_version_exists?: boolean;
  current_version_exists?: boolean;
  versions_exists?: boolean;
};

export type FlowCreate = {
  name: string;
  description?: string;
  is_enabled?: boolean;
  priority?: number;
  labels?: Array<string>;
  log_retention_days?: number | null;
  payload_retention_days?: number | null;
  concurrency?: number;
  concurrency_key?: string | null;
  run_timeout_seconds?: number | null;
  alerts?: Alerts | null;
};

export type FlowDocument = {
  format: "flowloom.flow";
  format_version: 1;
  flow: Record<string, unknown>;
  definition: Record<string, unknown>;
  schedules?: Array<Record<string, unknown>>;
  secrets?: Array<string>;
};

export type FlowUpdate = {
  name?: string | null;
  description?: string | null;
  is_enabled?: boolean | null;
  priority?: number | null;
  labels?: Array<string> | null;
  log_retention_days?: number | null;
  payload_retention_days?: number | null;
  concurrency?: number | null;
  concurrency_key?: string | null;
  run_timeout_seconds?: number | null;
  alerts?: Alerts | null;
};

export type Graph = {
  steps: Array<Step>;
  routes: Array<Route>;
  version: Version;
};

export type Install = {
  name?: string | null;
  version?: number | null;
};

export type Invitation = {
  token: string;
  expires_at: string;
};

export type InvitationAccept = {
  token: string;
  password: string;
};

export type JsonValue = unknown;

export type LateSchedule = {
  flow_id: number;
  flow_name: string;
  schedule_id: number;
  cron_string: string;
  timezone: string;
  due_at: string;
};

export type Links = {
  first: string;
  last: string;
  prev: string | null;
  next: string | null;
};

export type LogChannel = {
  type: "log";
};

export type LogLine = {
  id: number;
  flow_run_id: number;
  step_key?: string;
  level: string;
  message: string;
  created_at: string;
};

export type Login = {
  username?: string | null;
  email?: string | null;
  password: string;
};

export type LoginAnswer = {
  message: string;
  token: string;
  expires_in: number;
};

export type LookupRow = {
  id: number;
  left: string;
  right: string;
};

export type LookupRowCreate = {
  left: string;
  right: string;
};

export type LookupRowUpdate = {
  left?: string | null;
  right?: string | null;
};

export type LookupTable = {
  id: number;
  name: string;
  description: string;
  created_at: string;
  updated_at: string;
};

export type LookupTableCreate = {
  name: string;
  description?: string;
};

export type LookupTableUpdate = {
  name?: string | null;
  description?: string | null;
};

export type ManyDeadLetterCount = {
  data: Array<DeadLetterCount>;
};

export type ManyNotification = {
  data: Array<Notification>;
};

export type ManyRoute = {
  data: Array<Route>;
};

export type ManyRunStep = {
  data: Array<RunStep>;
};

export type ManySlot = {
  data: Array<Slot>;
};

export type ManyStepPayload = {
  data: Array<StepPayload>;
};

export type ManyStepType = {
  data: Array<StepType>;
};

export type MarketplaceApp = {
  id: number;
  name: string;
  description: string;
  flow_id: number;
  latest_version: number;
  private: boolean;
  created_at: string;
  updated_at: string;
  versions?: Array<MarketplaceAppVersion>;
};

export type MarketplaceAppVersion = {
  version: number;
  iteration: number;
  uploaded_by: number;
  created_at: string;
};

export type Me = {
  id?: number;
  email?: string;
  name: string;
  role: "read-only" | "user" | "manager" | "administrator";
  company_id: number;
  company_name: string;
  is_api_key: boolean;
  must_set_up: boolean;
};

export type Message = {
  message: string;
};

export type Meta = {
  current_page: number;
  from: number | null;
  last_page: number;
  path: string;
  per_page: number;
  to: number | null;
  total: number;
  total_is_capped?: boolean;
  next_cursor?: string;
};

export type Metric = {
  id: number;
  flow_id: number;
  flow_version_id: number;
  iteration: number;
  interval: "minute" | "hour" | "day" | "week" | "month";
  starts_at: string;
  type: "runs" | "duration" | "cpu" | "payloads" | "operations" | "steps";
  key: string;
  value: number;
};

export type MissedSchedule = {
  flow_id: number;
  flow_name: string;
  schedule_id: number;
  cron_string: string;
  timezone: string;
  reason: "missed" | "overlap";
  first_at: string;
  last_at: string;
  count: number;
};

export type MissedSlots = {
  id: number;
  schedule_id: number;
  reason: "overlap" | "missed" | "paused" | "dst gap";
  first_at: string;
  last_at: string;
  count: number;
};

export type NewApiKey = {
  id: number;
  name: string;
  hint: string;
  created_at: string;
  revoked_at?: string;
  key: string;
};

export type Notification = {
  id: number;
  flow_id?: number;
  flow_run_id?: number;
  channel: "email" | "webhook" | "log";
  to?: Array<string>;
  subject: string;
  text: string;
  state: "queued" | "sent" | "failed";
  attempts: number;
  next_at?: string;
  error?: string;
  created_at: string;
  updated_at: string;
};

export type NotificationGroup = {
  id: number;
  name: string;
  channels: Array<ChannelView>;
  created_at: string;
  updated_at: string;
};

export type NotificationGroupCreate = {
  name: string;
  channels: Array<EmailChannel | WebhookChannel | LogChannel>;
};

export type NotificationGroupUpdate = {
  name?: string | null;
  channels?: Array<EmailChannel | WebhookChannel | LogChannel> | null;
};

export type OneBulkDiscard = {
  data: BulkDiscard;
};

export type OneBulkRetry = {
  data: BulkRetry;
};

export type OneBulkStop = {
  data: BulkStop;
};

export type OneCacheEntry = {
  data: CacheEntry;
};

export type OneCompany = {
  data: Company;
};

export type OneConnectionTested = {
  data: ConnectionTested;
};

export type OneConnection = {
  data: Connection;
};

export type OneConnectorImported = {
  data: ConnectorImported;
};

export type OneConnector = {
  data: Connector;
};

export type OneDataPool = {
  data: DataPool;
};

export type OneDeadLetter = {
  data: DeadLetter;
};

export type OneExplanation = {
  data: Explanation;
};

export type OneFlow = {
  data: Flow;
};

export type OneGraph = {
  data: Graph;
};

export type OneInvitation = {
  data: Invitation;
};

export type OneLookupRow = {
  data: LookupRow;
};

export type OneLookupTable = {
  data: LookupTable;
};

export type OneMarketplaceApp = {
  data: MarketplaceApp;
};

export type OneMe = {
  data: Me;
};

export type OneNewApiKey = {
  data: NewApiKey;
};

export type OneNotificationGroup = {
  data: NotificationGroup;
};

export type OneOverview = {
  data: Overview;
};

export type OnePayloadMetadata = {
  data: PayloadMetadata;
};

export type OnePoolAdded = {
  data: PoolAdded;
};

export type OneRoute = {
  data: Route;
};

export type OneRun = {
  data: Run;
};

export type OneSchedule = {
  data: Schedule;
};

export type OneStep = {
  data: Step;
};

export type OneTried = {
  data: Tried;
};

export type OneUploadAnswer = {
  data: UploadAnswer;
};

export type OneUser = {
  data: User;
};

export type OneVersion = {
  data: Version;
};

export type OneWebhook = {
  data: Webhook;
};

export type Overview = {
  since: string;
  flows_count: number;
  runs: RunCounts;
  queued: number;
  started: number;
  waiting_since?: string;
  open_dead_letters: number;
  failing: Array<FailingFlow>;
  silent: Array<SilentFlow>;
  empty: Array<EmptyFlow>;
  late: Array<LateSchedule>;
  missed: Array<MissedSchedule>;
  busiest: Array<BusyFlow>;
  version: string;
  database: "SQLite" | "PostgreSQL";
  faults: Array<string>;
};

export type PageApiKey = {
  data: Array<ApiKey>;
  meta: Meta;
  links: Links;
};

export type PageCacheEntry = {
  data: Array<CacheEntry>;
  meta: Meta;
  links: Links;
};

export type PageConnection = {
  data: Array<Connection>;
  meta: Meta;
  links: Links;
};

export type PageConnectorSummary = {
  data: Array<ConnectorSummary>;
  meta: Meta;
  links: Links;
};

export type PageDataPool = {
  data: Array<DataPool>;
  meta: Meta;
  links: Links;
};

export type PageDeadLetter = {
  data: Array<DeadLetter>;
  meta: Meta;
  links: Links;
};

export type PageExchange = {
  data: Array<Exchange>;
  meta: Meta;
  links: Links;
};

export type PageFlow = {
  data: Array<Flow>;
  meta: Meta;
  links: Links;
};

export type PageLogLine = {
  data: Array<LogLine>;
  meta: Meta;
  links: Links;
};

export type PageLookupRow = {
  data: Array<LookupRow>;
  meta: Meta;
  links: Links;
};

export type PageLookupTable = {
  data: Array<LookupTable>;
  meta: Meta;
  links: Links;
};

export type PageMarketplaceApp = {
  data: Array<MarketplaceApp>;
  meta: Meta;
  links: Links;
};

export type PageMetric = {
  data: Array<Metric>;
  meta: Meta;
  links: Links;
};

export type PageMissedSlots = {
  data: Array<MissedSlots>;
  meta: Meta;
  links: Links;
};

export type PageNotificationGroup = {
  data: Array<NotificationGroup>;
  meta: Meta;
  links: Links;
};

export type PageNotification = {
  data: Array<Notification>;
  meta: Meta;
  links: Links;
};

export type PagePayloadMetadata = {
  data: Array<PayloadMetadata>;
  meta: Meta;
  links: Links;
};

export type PagePoolEntry = {
  data: Array<PoolEntry>;
  meta: Meta;
  links: Links;
};

export type PageProcess = {
  data: Array<Process>;
  meta: Meta;
  links: Links;
};

export type PageRun = {
  data: Array<Run>;
  meta: Meta;
  links: Links;
};

export type PageSchedule = {
  data: Array<Schedule>;
  meta: Meta;
  links: Links;
};

export type PageTracked = {
  data: Array<Tracked>;
  meta: Meta;
  links: Links;
};

export type PageUpcomingSchedule = {
  data: Array<UpcomingSchedule>;
  meta: Meta;
  links: Links;
};

export type PageUser = {
  data: Array<User>;
  meta: Meta;
  links: Links;
};

export type PageVersionResult = {
  data: Array<VersionResult>;
  meta: Meta;
  links: Links;
};

export type PageVersion = {
  data: Array<Version>;
  meta: Meta;
  links: Links;
};

export type PageWebhook = {
  data: Array<Webhook>;
  meta: Meta;
  links: Links;
};

export type PayloadMetadata = {
  id: number;
  flow_run_id: number;
  step_key: string;
  position: string;
  kind: "start" | "effect" | "answer";
  content_type: string;
  meta: Record<string, string>;
  bytes: number;
  created_at: string;
};

export type PoolAdded = {
  added: number;
};

export type PoolEntry = {
  id: number;
  key: string;
  state: "permanent" | "claimed" | "released";
  flow_run_id?: number;
  created_at: string;
};

export type PoolKeys = {
  keys: Array<string>;
};

export type Position = {
  x: number;
  y: number;
};

export type Process = {
  id: number;
  role: "api" | "worker" | "scheduler";
  name: string;
  concurrency: number;
  running: number;
  started_at: string;
  seen_at: string;
  is_alive: boolean;
};

export type RateLimit = {
  per_second?: number | null;
  per_minute?: number | null;
  burst?: number | null;
};

export type RateLimitView = {
  per_second?: number;
  per_minute?: number;
  burst: number;
};

export type RedriveRequest = {
  payload?: string | null;
  version?: number | null;
};

export type Results = {
  starts_at: string;
  success: number;
  failure: number;
  stopped: number;
  partial: number;
};

export type RetryAnswer = {
  message: string;
  flow_run_id: number;
  data: Run;
  report?: RetryReport;
};

export type RetryReport = {
  matched: Array<string>;
  changed: Array<string>;
  missing: Array<string>;
  new: Array<string>;
};

export type RetryRequest = {
  from_step?: string | number | null;
  version?: number | null;
  payload?: string | null;
};

export type Route = {
  id: number;
  key: string;
  flow_step_id: number;
  name: string;
  position: number;
  where?: Record<string, unknown>;
};

export type RouteCreate = {
  name: string;
  position?: number | null;
  where?: Record<string, unknown> | null;
};

export type RouteFields = {
  name?: string | null;
  position?: number | null;
  where?: Record<string, unknown> | null;
};

export type Run = {
  id: number;
  flow_id: number;
  flow_version_id: number;
  iteration: number;
  trigger: string;
  status: number;
  has_warnings: boolean;
  queued_at: string;
  ready_at: string;
  started_at?: string;
  finished_at?: string;
  duration_ms?: number;
  schedule_id?: number;
  fire_at?: string;
  retry_flow_run_id?: number;
  parent_run_id?: number;
  started_by?: number;
  start_step?: string;
  resume_at?: string;
  summary?: Record<string, unknown>;
  waits_for?: "ready_at" | "schedule" | "key" | "parallel_limit" | "flow_concurrency" | "company_concurrency" | "turn";
};

export type RunCounts = {
  success: number;
  failure: number;
  stopped: number;
  partial: number;
};

export type RunStep = {
  key: string;
  name: string;
  microservice: string;
  parent?: string;
  route?: string;
  config: Record<string, unknown>;
  was_reached: boolean;
  began_at?: string;
  payloads_in?: number;
  payloads_out?: number;
  bytes_in?: number;
  bytes_out?: number;
  failed?: number;
  attempts?: number;
  duration_ms?: number;
  cpu_ms?: number;
  waited_ms?: Record<string, number>;
};

export type Schedule = {
  id: number;
  flow_version_id: string;
  cron_string: string;
  timezone: string;
  overlap: string;
  catch_up: string;
  jitter_seconds: number;
  dst_gap: string;
  dst_repeat: string;
  next_run_at?: string;
  created_at: string;
  updated_at: string;
  flow_version?: Version;
};

export type ScheduleCreate = {
  cron_string: string;
  deployed_at?: string | null;
  timezone?: string | null;
  overlap?: "skip" | "queue" | "allow" | null;
  catch_up?: "none" | "latest" | "all" | null;
  jitter_seconds?: number | null;
  dst_gap?: "skip" | "next" | null;
  dst_repeat?: "first" | "second" | "both" | null;
};

export type ScheduleFields = {
  cron_string?: string | null;
  deployed_at?: string | null;
  timezone?: string | null;
  overlap?: "skip" | "queue" | "allow" | null;
  catch_up?: "none" | "latest" | "all" | null;
  jitter_seconds?: number | null;
  dst_gap?: "skip" | "next" | null;
  dst_repeat?: "first" | "second" | "both" | null;
};

export type SchedulePreview = {
  cron_string: string;
  deployed_at?: string | null;
  timezone?: string | null;
  overlap?: "skip" | "queue" | "allow" | null;
  catch_up?: "none" | "latest" | "all" | null;
  jitter_seconds?: number | null;
  dst_gap?: "skip" | "next" | null;
  dst_repeat?: "first" | "second" | "both" | null;
  count?: number;
};

export type SetUp = {
  name: string;
  email: string;
  password: string;
  company_name: string;
};

export type SilentFlow = {
  flow_id: number;
  flow_name: string;
  since: string;
};

export type Skipped = {
  id: number;
  reason: string;
};

export type Slot = {
  at: string;
  local: string;
  offset: string;
  note?: string;
};

export type StartAnswer = {
  message: string;
  flow_run_id: number;
  data: Run;
};

export type StartRequest = {
  payload?: string | null;
  flow_variables?: Record<string, unknown> | null;
};

export type Step = {
  id: number;
  key: string;
  flow_version_id: number;
  microservice: string;
  name: string;
  config: Record<string, unknown>;
  position?: Position;
  parent_id?: number;
  flow_step_route_id?: number;
  is_enabled: boolean;
  variables: Record<string, unknown>;
  problems?: Record<string, Array<string>>;
};

export type StepCreate = {
  microservice: string;
  name?: string | null;
  config?: Record<string, unknown>;
  parent_id: number;
  flow_step_route_id?: number | null;
  position?: Position | null;
  is_enabled?: boolean;
  variables?: Record<string, unknown>;
  beside?: boolean;
  key?: string | null;
};

export type StepExample = {
  title: string;
  config: Record<string, unknown>;
  payloads: Array<unknown>;
  expect: Array<unknown> | null;
  variables: Record<string, unknown>;
};

export type StepPayload = {
  position: string;
  content_type: string;
  meta: Record<string, string>;
  bytes: number;
  is_cut: boolean;
  body?: unknown;
};

export type StepTry = {
  payload?: unknown;
  content_type?: string;
  meta?: Record<string, string>;
  config?: Record<string, unknown> | null;
  variables?: Record<string, unknown>;
};

export type StepType = {
  microservice: string;
  title: string;
  help: string;
  failure: string;
  has_routes: boolean;
  schema: Record<string, unknown>;
  examples: Array<StepExample>;
};

export type StepUpdate = {
  name?: string;
  config?: Record<string, unknown>;
  position?: Position;
  parent_id?: number | null;
  flow_step_route_id?: number | null;
  variables?: Record<string, unknown>;
  is_enabled?: boolean;
  id?: unknown;
  key?: unknown;
  flow_version_id?: unknown;
  microservice?: unknown;
  problems?: unknown;
  created_at?: unknown;
  updated_at?: unknown;
};

export type Tracked = {
  id: number;
  entity_type: string;
  value: string;
  direction: "in" | "out";
  flow_id: number;
  flow_version_id: number;
  flow_run_id: number;
  step_key: string;
  created_at: string;
};

export type Tried = {
  payloads: Array<TriedPayload>;
  payloads_count: number;
  variables: Record<string, unknown>;
  logs: Array<TryLog>;
  failure?: TryFailure;
};

export type TriedPayload = {
  position: string;
  content_type: string;
  meta: Record<string, string>;
  bytes: number;
  is_cut: boolean;
  body?: unknown;
  route?: string;
};

export type TryFailure = {
  message: string;
  error_class: string;
};

export type TryLog = {
  level: string;
  message: string;
};

export type UpcomingSchedule = {
  id: number;
  flow_version_id: string;
  cron_string: string;
  timezone: string;
  overlap: string;
  catch_up: string;
  jitter_seconds: number;
  dst_gap: string;
  dst_repeat: string;
  next_run_at?: string;
  created_at: string;
  updated_at: string;
  flow_version?: Version;
  flow_id: number;
  flow_name: string;
  iteration: number;
  is_enabled: boolean;
  fires: Array<string>;
  has_more_fires: boolean;
};

export type Upload = {
  private?: string;
};

export type UploadAnswer = {
  marketplace_app_id: number;
  version: number;
  private: boolean;
  flow_id: number;
  flow_version_id: number;
  iteration: number;
  name: string;
  created_at: string;
};

export type User = {
  id: number;
  email: string;
  name: string;
  role: string;
  created_at: string;
  updated_at: string;
};

export type UserCreate = {
  email: string;
  name: string;
  password?: string | null;
  role: "read-only" | "user" | "manager" | "administrator";
};

export type UserUpdate = {
  email?: string | null;
  name?: string | null;
  password?: string | null;
  role?: "read-only" | "user" | "manager" | "administrator" | null;
};

export type Variables = {
  variables: Record<string, unknown>;
  secrets?: Record<string, string | null> | null;
};

export type VariablesAnswer = {
  data: Record<string, unknown>;
  secrets: Array<string>;
};

export type Version = {
  id: number;
  flow_id: number;
  flow_name: string;
  flow_priority: number;
  iteration: number;
  status: "Draft" | "Inactive" | "Deployed";
  is_deployed: boolean;
  is_editable: boolean;
  deployed_at?: string;
  deployed_by?: number;
  saved_at?: string;
  saved_by?: number;
  has_callback_step: boolean;
  steps_count: number;
  content_hash: string;
  label?: string;
  message?: string;
  created_at: string;
  updated_at: string;
  saved_by_user?: User;
  deployed_by_user?: User;
  steps?: Array<Step>;
  runs?: Array<Run>;
  latest_run?: Run;
  schedules?: Array<Schedule>;
  filters?: Array<Record<string, unknown>>;
  variables?: Record<string, unknown>;
  secrets?: Array<string>;
};

export type VersionResult = {
  id: number;
  iteration: number;
  started: number;
  success: number;
  failure: number;
  stopped: number;
  partial: number;
  p50?: number;
  p95?: number;
  p99?: number;
};

export type VersionUpdate = {
  deployed_at?: string | null;
  label?: string | null;
  message?: string | null;
};

export type Webhook = {
  id: number;
  flow_id: number;
  name: string;
  url: string;
  callback_url: string;
  has_secret: boolean;
  created_at: string;
};

export type WebhookChannel = {
  type: "webhook";
  url: string;
  secrets?: Record<string, string | null> | null;
};

export type WebhookCreate = {
  name?: string;
  secret?: string | null;
};

export const operations = {
  healthz: ["GET", "/healthz"],
  readyz: ["GET", "/readyz"],
  metrics: ["GET", "/metrics"],
  login: ["POST", "/fabric/api/login"],
  login_alias1: ["POST", "/api/v1/login"],
  set_up: ["POST", "/api/v1/set-up"],
  accept_invitation: ["POST", "/api/v1/invitations/accept"],
  logout: ["POST", "/api/v1/logout"],
  get_overview: ["GET", "/api/v1/overview"],
  list_processes: ["GET", "/api/v1/processes"],
  get_company: ["GET", "/api/v1/company"],
  update_company: ["PUT", "/api/v1/company"],
  get_me: ["GET", "/api/v1/me"],
  list_users: ["GET", "/api/v1/users"],
  create_user: ["POST", "/api/v1/users"],
  get_user: ["GET", "/api/v1/users/{user}"],
  update_user: ["PUT", "/api/v1/users/{user}"],
  delete_user: ["DELETE", "/api/v1/users/{user}"],
  invite_user: ["POST", "/api/v1/users/{user}/invitation"],
  list_api_keys: ["GET", "/api/v1/api-keys"],
  create_api_key: ["POST", "/api/v1/api-keys"],
  revoke_api_key: ["DELETE", "/api/v1/api-keys/{api_key}"],
  list_flows: ["GET", "/api/v1/flows"],
  create_flow: ["POST", "/api/v1/flows"],
  get_flow: ["GET", "/api/v1/flows/{flow}"],
  update_flow: ["PUT", "/api/v1/flows/{flow}"],
  delete_flow: ["DELETE", "/api/v1/flows/{flow}"],
  export_flow: ["GET", "/api/v1/flows/{flow}/export"],
  import_flow: ["POST", "/api/v1/flows/import"],
  duplicate_flow: ["POST", "/api/v1/flows/{flow}/duplicate"],
  list_versions: ["GET", "/api/v1/flows/{flow}/versions"],
  create_version: ["POST", "/api/v1/flows/{flow}/versions"],
  get_version: ["GET", "/api/v1/flows/{flow}/versions/{version}"],
  update_version: ["PUT", "/api/v1/flows/{flow}/versions/{version}"],
  delete_version: ["DELETE", "/api/v1/flows/{flow}/versions/{version}"],
  copy_version: ["POST", "/api/v1/flows/{flow}/versions/{version}/copy"],
  list_version_metrics: ["GET", "/api/v1/flows/{flow}/version-metrics"],
  list_version_results: ["GET", "/api/v1/flows/{flow}/version-results"],
  list_upcoming_schedules: ["GET", "/api/v1/schedules"],
  list_schedules: ["GET", "/api/v1/flow-versions/{flow_version}/schedules"],
  create_schedule: ["POST", "/api/v1/flow-versions/{flow_version}/schedules"],
  update_schedule: ["PUT", "/api/v1/flow-versions/{flow_version}/schedules/{schedule}"],
  delete_schedule: ["DELETE", "/api/v1/flow-versions/{flow_version}/schedules/{schedule}"],
  preview_schedule: ["POST", "/api/v1/schedules/preview"],
  list_slots: ["GET", "/api/v1/schedules/{schedule}/slots"],
  list_step_types: ["GET", "/api/v1/step-types"],
  get_graph: ["GET", "/api/v1/flow-versions/{flow_version}/graph"],
  create_step: ["POST", "/api/v1/flow-versions/{flow_version}/graph/steps"],
  update_step: ["PATCH", "/api/v1/flow-versions/{flow_version}/graph/steps/{step}"],
  delete_step: ["DELETE", "/api/v1/flow-versions/{flow_version}/graph/steps/{step}"],
  try_step: ["POST", "/api/v1/flow-versions/{flow_version}/graph/steps/{step}/try"],
  list_routes: ["GET", "/api/v1/flow-versions/{flow_version}/graph/steps/{step}/routes"],
  create_route: ["POST", "/api/v1/flow-versions/{flow_version}/graph/steps/{step}/routes"],
  update_route: ["PUT", "/api/v1/flow-versions/{flow_version}/graph/steps/{step}/routes/{route}"],
  delete_route: ["DELETE", "/api/v1/flow-versions/{flow_version}/graph/steps/{step}/routes/{route}"],
  get_variables: ["GET", "/api/v1/flow-versions/{flow_version}/variables"],
  update_variables: ["PUT", "/api/v1/flow-versions/{flow_version}/variables"],
  stop_run: ["POST", "/api/v1/flow-runs/{flow_run}/stop"],
  stop_runs: ["POST", "/api/v1/flow-runs/stop"],
  retry_run: ["POST", "/api/v1/flow-runs/{flow_run}/retry"],
  retry_runs: ["POST", "/api/v1/flow-runs/retry"],
  start_flow_raw: ["POST", "/api/v1/flows/{flow}/start/raw"],
  start_flow: ["POST", "/api/v1/flows/{flow}/start"],
  start_flow_raw_version: ["POST", "/api/v1/flows/{flow}/start/raw/{version}"],
  start_flow_version: ["POST", "/api/v1/flows/{flow}/start/{version}"],
  manual_flow_raw: ["POST", "/api/v1/flows/{flow}/manual/raw"],
  manual_flow: ["POST", "/api/v1/flows/{flow}/manual"],
  manual_flow_raw_version: ["POST", "/api/v1/flows/{flow}/manual/raw/{version}"],
  manual_flow_version: ["POST", "/api/v1/flows/{flow}/manual/{version}"],
  list_runs: ["GET", "/api/v1/flow-runs"],
  list_queue: ["GET", "/api/v1/scheduled-flows"],
  get_run: ["GET", "/api/v1/flow-runs/{flow_run}"],
  list_run_logs: ["GET", "/api/v1/flow-runs/{flow_run}/flow-run-logs"],
  list_exchanges: ["GET", "/api/v1/flow-runs/{flow_run}/exchanges"],
  follow_run: ["GET", "/api/v1/flow-runs/{flow_run}/events"],
  list_payloads: ["GET", "/api/v1/payload-metadata"],
  get_payload: ["GET", "/api/v1/payload-metadata/{payload_metadata}"],
  download_payload: ["GET", "/api/v1/payload-metadata/{payload_metadata}/download"],
  list_run_steps: ["GET", "/api/v1/flow-runs/{flow_run}/steps"],
  list_step_payloads: ["GET", "/api/v1/flow-runs/{flow_run}/step-payloads"],
  explain_run: ["GET", "/api/v1/flow-runs/{flow_run}/explain"],
  explain_slot: ["GET", "/api/v1/schedules/{schedule}/explain"],
  list_dead_letters: ["GET", "/api/v1/dead-letters"],
  count_dead_letters: ["GET", "/api/v1/dead-letters/counts"],
  get_dead_letter: ["GET", "/api/v1/dead-letters/{dead_letter}"],
  download_dead_letter: ["GET", "/api/v1/dead-letters/{dead_letter}/download"],
  redrive_dead_letter: ["POST", "/api/v1/dead-letters/{dead_letter}/re-drive"],
  redrive_dead_letters: ["POST", "/api/v1/dead-letters/re-drive"],
  discard_dead_letter: ["POST", "/api/v1/dead-letters/{dead_letter}/discard"],
  discard_dead_letters: ["POST", "/api/v1/dead-letters/discard"],
  list_connectors: ["GET", "/api/v1/connectors"],
  create_connector: ["POST", "/api/v1/connectors"],
  import_connector: ["POST", "/api/v1/connectors/import"],
  get_connector: ["GET", "/api/v1/connectors/{connector}"],
  update_connector: ["PUT", "/api/v1/connectors/{connector}"],
  delete_connector: ["DELETE", "/api/v1/connectors/{connector}"],
  list_connections: ["GET", "/api/v1/connections"],
  create_connection: ["POST", "/api/v1/connections"],
  get_connection: ["GET", "/api/v1/connections/{connection}"],
  update_connection: ["PUT", "/api/v1/connections/{connection}"],
  delete_connection: ["DELETE", "/api/v1/connections/{connection}"],
  test_connection: ["POST", "/api/v1/connections/{connection}/test"],
  list_webhooks: ["GET", "/api/v1/flows/{flow}/webhooks"],
  create_webhook: ["POST", "/api/v1/flows/{flow}/webhooks"],
  delete_webhook: ["DELETE", "/api/v1/flows/{flow}/webhooks/{webhook}"],
  upload_flow_version: ["POST", "/api/v1/flow-versions/{flow_version}/upload"],
  list_marketplace_apps: ["GET", "/api/v1/marketplace-apps"],
  get_marketplace_app: ["GET", "/api/v1/marketplace-apps/{marketplace_app}"],
  install_marketplace_app: ["POST", "/api/v1/marketplace-apps/{marketplace_app}/install"],
  list_notification_groups: ["GET", "/api/v1/notification-groups"],
  create_notification_group: ["POST", "/api/v1/notification-groups"],
  get_notification_group: ["GET", "/api/v1/notification-groups/{notification_group}"],
  update_notification_group: ["PUT", "/api/v1/notification-groups/{notification_group}"],
  delete_notification_group: ["DELETE", "/api/v1/notification-groups/{notification_group}"],
  test_notification_group: ["POST", "/api/v1/notification-groups/{notification_group}/test"],
  list_notifications: ["GET", "/api/v1/notifications"],
  list_data_pools: ["GET", "/api/v1/data-pools"],
  create_data_pool: ["POST", "/api/v1/data-pools"],
  get_data_pool: ["GET", "/api/v1/data-pools/{data_pool}"],
  update_data_pool: ["PUT", "/api/v1/data-pools/{data_pool}"],
  delete_data_pool: ["DELETE", "/api/v1/data-pools/{data_pool}"],
  list_pool_entries: ["GET", "/api/v1/data-pools/{data_pool}/entries"],
  add_pool_entries: ["POST", "/api/v1/data-pools/{data_pool}/entries"],
  delete_pool_entries: ["DELETE", "/api/v1/data-pools/{data_pool}/entries"],
  delete_pool_entry: ["DELETE", "/api/v1/data-pools/{data_pool}/entries/{pool_entry}"],
  list_lookup_tables: ["GET", "/api/v1/lookup-tables"],
  create_lookup_table: ["POST", "/api/v1/lookup-tables"],
  get_lookup_table: ["GET", "/api/v1/lookup-tables/{lookup_table}"],
  update_lookup_table: ["PUT", "/api/v1/lookup-tables/{lookup_table}"],
  delete_lookup_table: ["DELETE", "/api/v1/lookup-tables/{lookup_table}"],
  list_lookup_rows: ["GET", "/api/v1/lookup-tables/{lookup_table}/rows"],
  create_lookup_row: ["POST", "/api/v1/lookup-tables/{lookup_table}/rows"],
  update_lookup_row: ["PUT", "/api/v1/lookup-tables/{lookup_table}/rows/{lookup_row}"],
  delete_lookup_row: ["DELETE", "/api/v1/lookup-tables/{lookup_table}/rows/{lookup_row}"],
  download_lookup_table: ["GET", "/api/v1/lookup-tables/{lookup_table}/csv"],
  upload_lookup_table: ["PUT", "/api/v1/lookup-tables/{lookup_table}/csv"],
  list_cache_entries: ["GET", "/api/v1/cache-entries"],
  get_cache_entry: ["GET", "/api/v1/cache-entries/{cache_entry}"],
  delete_cache_entry: ["DELETE", "/api/v1/cache-entries/{cache_entry}"],
  list_tracked_data: ["GET", "/api/v1/tracked-data"],
  receive_webhook: ["POST", "/webhooks/{company}/{ulid}"],
  receive_callback: ["POST", "/callbacks/{company}/{ulid}"],
} as const;

export type Operations = {
  healthz: { path: undefined; query: undefined; body: undefined; answer: Message; };
  readyz: { path: undefined; query: undefined; body: undefined; answer: Message; };
  metrics: { path: undefined; query: undefined; body: undefined; answer: unknown; };
  login: { path: undefined; query: undefined; body: Login; answer: LoginAnswer; };
  login_alias1: { path: undefined; query: undefined; body: Login; answer: LoginAnswer; };
  set_up: { path: undefined; query: undefined; body: SetUp; answer: LoginAnswer; };
  accept_invitation: { path: undefined; query: undefined; body: InvitationAccept; answer: LoginAnswer; };
  logout: { path: undefined; query: undefined; body: undefined; answer: Message; };
  get_overview: { path: undefined; query: undefined; body: undefined; answer: OneOverview; };
  list_processes: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value }; body: undefined; answer: PageProcess; };
  get_company: { path: undefined; query: undefined; body: undefined; answer: OneCompany; };
  update_company: { path: undefined; query: undefined; body: CompanyUpdate; answer: OneCompany; };
  get_me: { path: undefined; query: undefined; body: undefined; answer: OneMe; };
  list_users: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[id]"?: Value; "filter[email]"?: Value; "filter[search]"?: Value; "filter[role]"?: Value }; body: undefined; answer: PageUser; };
  create_user: { path: undefined; query: undefined; body: UserCreate; answer: OneUser; };
  get_user: { path: { user: Id }; query: undefined; body: undefined; answer: OneUser; };
  update_user: { path: { user: Id }; query: undefined; body: UserUpdate; answer: OneUser; };
  delete_user: { path: { user: Id }; query: undefined; body: undefined; answer: Message; };
  invite_user: { path: { user: Id }; query: undefined; body: undefined; answer: OneInvitation; };
  list_api_keys: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[search]"?: Value }; body: undefined; answer: PageApiKey; };
  create_api_key: { path: undefined; query: undefined; body: ApiKeyCreate; answer: OneNewApiKey; };
  revoke_api_key: { path: { api_key: Id }; query: undefined; body: undefined; answer: Message; };
  list_flows: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; include?: Value; "filter[id]"?: Value; "filter[name]"?: Value; "filter[search]"?: Value; "filter[label]"?: Value; "filter[is_enabled]"?: Value; "filter[priority]"?: Value }; body: undefined; answer: PageFlow; };
  create_flow: { path: undefined; query: undefined; body: FlowCreate; answer: OneFlow; };
  get_flow: { path: { flow: Id }; query: { include?: Value }; body: undefined; answer: OneFlow; };
  update_flow: { path: { flow: Id }; query: undefined; body: FlowUpdate; answer: OneFlow; };
  delete_flow: { path: { flow: Id }; query: undefined; body: undefined; answer: Message; };
  export_flow: { path: { flow: Id }; query: undefined; body: undefined; answer: FlowDocument; };
  import_flow: { path: undefined; query: undefined; body: FlowDocument; answer: OneFlow; };
  duplicate_flow: { path: { flow: Id }; query: undefined; body: undefined; answer: OneFlow; };
  list_versions: { path: { flow: Id }; query: { page?: Value; per_page?: Value; sort?: Value; include?: Value }; body: undefined; answer: PageVersion; };
  create_version: { path: { flow: Id }; query: undefined; body: undefined; answer: OneVersion; };
  get_version: { path: { flow: Id; version: Id }; query: { include?: Value }; body: undefined; answer: OneVersion; };
  update_version: { path: { flow: Id; version: Id }; query: undefined; body: VersionUpdate; answer: OneVersion; };
  delete_version: { path: { flow: Id; version: Id }; query: undefined; body: undefined; answer: Message; };
  copy_version: { path: { flow: Id; version: Id }; query: undefined; body: undefined; answer: OneVersion; };
  list_version_metrics: { path: { flow: Id }; query: { page?: Value; per_page?: Value; sort?: Value; "filter[interval]"?: Value; "filter[type]"?: Value; "filter[key]"?: Value; "filter[flow_version_id]"?: Value; "filter[from]"?: Value; "filter[to]"?: Value }; body: undefined; answer: PageMetric; };
  list_version_results: { path: { flow: Id }; query: { page?: Value; per_page?: Value; sort?: Value; "filter[flow_version_id]"?: Value; "filter[from]"?: Value; "filter[to]"?: Value }; body: undefined; answer: PageVersionResult; };
  list_upcoming_schedules: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[flow_id]"?: Value; "filter[is_enabled]"?: Value; "filter[timezone]"?: Value; from?: Value; to?: Value }; body: undefined; answer: PageUpcomingSchedule; };
  list_schedules: { path: { flow_version: Id }; query: { page?: Value; per_page?: Value; sort?: Value; include?: Value; "filter[flow_version_id]"?: Value }; body: undefined; answer: PageSchedule; };
  create_schedule: { path: { flow_version: Id }; query: undefined; body: ScheduleCreate; answer: OneSchedule; };
  update_schedule: { path: { flow_version: Id; schedule: Id }; query: undefined; body: ScheduleFields; answer: OneSchedule; };
  delete_schedule: { path: { flow_version: Id; schedule: Id }; query: undefined; body: undefined; answer: Message; };
  preview_schedule: { path: undefined; query: undefined; body: SchedulePreview; answer: ManySlot; };
  list_slots: { path: { schedule: Id }; query: { page?: Value; per_page?: Value; sort?: Value; "filter[reason]"?: Value }; body: undefined; answer: PageMissedSlots; };
  list_step_types: { path: undefined; query: undefined; body: undefined; answer: ManyStepType; };
  get_graph: { path: { flow_version: Id }; query: undefined; body: undefined; answer: OneGraph; };
  create_step: { path: { flow_version: Id }; query: undefined; body: StepCreate; answer: OneStep; };
  update_step: { path: { flow_version: Id; step: Id }; query: undefined; body: StepUpdate; answer: OneStep; };
  delete_step: { path: { flow_version: Id; step: Id }; query: undefined; body: undefined; answer: Message; };
  try_step: { path: { flow_version: Id; step: Id }; query: undefined; body: StepTry; answer: OneTried; };
  list_routes: { path: { flow_version: Id; step: Id }; query: undefined; body: undefined; answer: ManyRoute; };
  create_route: { path: { flow_version: Id; step: Id }; query: undefined; body: RouteCreate; answer: OneRoute; };
  update_route: { path: { flow_version: Id; step: Id; route: Id }; query: undefined; body: RouteFields; answer: OneRoute; };
  delete_route: { path: { flow_version: Id; step: Id; route: Id }; query: undefined; body: undefined; answer: Message; };
  get_variables: { path: { flow_version: Id }; query: undefined; body: undefined; answer: VariablesAnswer; };
  update_variables: { path: { flow_version: Id }; query: undefined; body: Variables; answer: VariablesAnswer; };
  stop_run: { path: { flow_run: Id }; query: undefined; body: undefined; answer: OneRun; };
  stop_runs: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[id]"?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[schedule_id]"?: Value; "filter[retry_flow_run_id]"?: Value; "filter[parent_run_id]"?: Value; "filter[status]"?: Value; "filter[trigger]"?: Value; "filter[has_warnings]"?: Value; "filter[started_after]"?: Value; "filter[started_before]"?: Value }; body: undefined; answer: OneBulkStop; };
  retry_run: { path: { flow_run: Id }; query: undefined; body: RetryRequest; answer: RetryAnswer; };
  retry_runs: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[id]"?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[schedule_id]"?: Value; "filter[retry_flow_run_id]"?: Value; "filter[parent_run_id]"?: Value; "filter[status]"?: Value; "filter[trigger]"?: Value; "filter[has_warnings]"?: Value; "filter[started_after]"?: Value; "filter[started_before]"?: Value }; body: undefined; answer: OneBulkRetry; };
  start_flow_raw: { path: { flow: Id }; query: { flow_variables?: Value }; body: undefined; answer: StartAnswer; };
  start_flow: { path: { flow: Id }; query: undefined; body: StartRequest; answer: StartAnswer; };
  start_flow_raw_version: { path: { flow: Id; version: Id }; query: { flow_variables?: Value }; body: undefined; answer: StartAnswer; };
  start_flow_version: { path: { flow: Id; version: Id }; query: undefined; body: StartRequest; answer: StartAnswer; };
  manual_flow_raw: { path: { flow: Id }; query: { flow_variables?: Value }; body: undefined; answer: StartAnswer; };
  manual_flow: { path: { flow: Id }; query: undefined; body: StartRequest; answer: StartAnswer; };
  manual_flow_raw_version: { path: { flow: Id; version: Id }; query: { flow_variables?: Value }; body: undefined; answer: StartAnswer; };
  manual_flow_version: { path: { flow: Id; version: Id }; query: undefined; body: StartRequest; answer: StartAnswer; };
  list_runs: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[id]"?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[schedule_id]"?: Value; "filter[retry_flow_run_id]"?: Value; "filter[parent_run_id]"?: Value; "filter[status]"?: Value; "filter[trigger]"?: Value; "filter[has_warnings]"?: Value; "filter[started_after]"?: Value; "filter[started_before]"?: Value }; body: undefined; answer: PageRun; };
  list_queue: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[trigger]"?: Value; "filter[schedule_id]"?: Value }; body: undefined; answer: PageRun; };
  get_run: { path: { flow_run: Id }; query: undefined; body: undefined; answer: OneRun; };
  list_run_logs: { path: { flow_run: Id }; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[level]"?: Value; "filter[step_key]"?: Value }; body: undefined; answer: PageLogLine; };
  list_exchanges: { path: { flow_run: Id }; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[step_key]"?: Value; "filter[position]"?: Value }; body: undefined; answer: PageExchange; };
  follow_run: { path: { flow_run: Id }; query: undefined; body: undefined; answer: unknown; };
  list_payloads: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[flow_run_id]"?: Value; "filter[step_key]"?: Value; "filter[kind]"?: Value }; body: undefined; answer: PagePayloadMetadata; };
  get_payload: { path: { payload_metadata: Id }; query: undefined; body: undefined; answer: OnePayloadMetadata; };
  download_payload: { path: { payload_metadata: Id }; query: undefined; body: undefined; answer: unknown; };
  list_run_steps: { path: { flow_run: Id }; query: undefined; body: undefined; answer: ManyRunStep; };
  list_step_payloads: { path: { flow_run: Id }; query: { step?: Value; side?: Value; page?: Value; per_page?: Value }; body: undefined; answer: ManyStepPayload; };
  explain_run: { path: { flow_run: Id }; query: undefined; body: undefined; answer: OneExplanation; };
  explain_slot: { path: { schedule: Id }; query: { at?: Value }; body: undefined; answer: OneExplanation; };
  list_dead_letters: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[flow_run_id]"?: Value; "filter[step_key]"?: Value; "filter[error_class]"?: Value; "filter[state]"?: Value; "filter[is_caught]"?: Value; "filter[created_after]"?: Value; "filter[created_before]"?: Value }; body: undefined; answer: PageDeadLetter; };
  count_dead_letters: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[flow_run_id]"?: Value; "filter[step_key]"?: Value; "filter[error_class]"?: Value; "filter[state]"?: Value; "filter[is_caught]"?: Value; "filter[created_after]"?: Value; "filter[created_before]"?: Value }; body: undefined; answer: ManyDeadLetterCount; };
  get_dead_letter: { path: { dead_letter: Id }; query: undefined; body: undefined; answer: OneDeadLetter; };
  download_dead_letter: { path: { dead_letter: Id }; query: undefined; body: undefined; answer: unknown; };
  redrive_dead_letter: { path: { dead_letter: Id }; query: undefined; body: RedriveRequest; answer: StartAnswer; };
  redrive_dead_letters: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[flow_run_id]"?: Value; "filter[step_key]"?: Value; "filter[error_class]"?: Value; "filter[state]"?: Value; "filter[is_caught]"?: Value; "filter[created_after]"?: Value; "filter[created_before]"?: Value }; body: undefined; answer: OneBulkRetry; };
  discard_dead_letter: { path: { dead_letter: Id }; query: undefined; body: undefined; answer: OneDeadLetter; };
  discard_dead_letters: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[flow_id]"?: Value; "filter[flow_version_id]"?: Value; "filter[flow_run_id]"?: Value; "filter[step_key]"?: Value; "filter[error_class]"?: Value; "filter[state]"?: Value; "filter[is_caught]"?: Value; "filter[created_after]"?: Value; "filter[created_before]"?: Value }; body: undefined; answer: OneBulkDiscard; };
  list_connectors: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[id]"?: Value; "filter[name]"?: Value; "filter[search]"?: Value }; body: undefined; answer: PageConnectorSummary; };
  create_connector: { path: undefined; query: undefined; body: ConnectorCreate; answer: OneConnector; };
  import_connector: { path: undefined; query: undefined; body: ConnectorImport; answer: OneConnectorImported; };
  get_connector: { path: { connector: Id }; query: undefined; body: undefined; answer: OneConnector; };
  update_connector: { path: { connector: Id }; query: undefined; body: ConnectorUpdate; answer: OneConnector; };
  delete_connector: { path: { connector: Id }; query: undefined; body: undefined; answer: Message; };
  list_connections: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[id]"?: Value; "filter[name]"?: Value; "filter[search]"?: Value; "filter[connector_id]"?: Value }; body: undefined; answer: PageConnection; };
  create_connection: { path: undefined; query: undefined; body: ConnectionCreate; answer: OneConnection; };
  get_connection: { path: { connection: Id }; query: undefined; body: undefined; answer: OneConnection; };
  update_connection: { path: { connection: Id }; query: undefined; body: ConnectionUpdate; answer: OneConnection; };
  delete_connection: { path: { connection: Id }; query: undefined; body: undefined; answer: Message; };
  test_connection: { path: { connection: Id }; query: undefined; body: undefined; answer: OneConnectionTested; };
  list_webhooks: { path: { flow: Id }; query: { page?: Value; per_page?: Value; sort?: Value }; body: undefined; answer: PageWebhook; };
  create_webhook: { path: { flow: Id }; query: undefined; body: WebhookCreate; answer: OneWebhook; };
  delete_webhook: { path: { flow: Id; webhook: Id }; query: undefined; body: undefined; answer: Message; };
  upload_flow_version: { path: { flow_version: Id }; query: undefined; body: Upload; answer: OneUploadAnswer; };
  list_marketplace_apps: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[flow_id]"?: Value; "filter[search]"?: Value }; body: undefined; answer: PageMarketplaceApp; };
  get_marketplace_app: { path: { marketplace_app: Id }; query: undefined; body: undefined; answer: OneMarketplaceApp; };
  install_marketplace_app: { path: { marketplace_app: Id }; query: undefined; body: Install; answer: OneFlow; };
  list_notification_groups: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[id]"?: Value; "filter[name]"?: Value; "filter[search]"?: Value }; body: undefined; answer: PageNotificationGroup; };
  create_notification_group: { path: undefined; query: undefined; body: NotificationGroupCreate; answer: OneNotificationGroup; };
  get_notification_group: { path: { notification_group: Id }; query: undefined; body: undefined; answer: OneNotificationGroup; };
  update_notification_group: { path: { notification_group: Id }; query: undefined; body: NotificationGroupUpdate; answer: OneNotificationGroup; };
  delete_notification_group: { path: { notification_group: Id }; query: undefined; body: undefined; answer: Message; };
  test_notification_group: { path: { notification_group: Id }; query: undefined; body: undefined; answer: ManyNotification; };
  list_notifications: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[state]"?: Value; "filter[channel]"?: Value; "filter[flow_id]"?: Value; "filter[flow_run_id]"?: Value }; body: undefined; answer: PageNotification; };
  list_data_pools: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[id]"?: Value; "filter[name]"?: Value; "filter[search]"?: Value }; body: undefined; answer: PageDataPool; };
  create_data_pool: { path: undefined; query: undefined; body: DataPoolCreate; answer: OneDataPool; };
  get_data_pool: { path: { data_pool: Id }; query: undefined; body: undefined; answer: OneDataPool; };
  update_data_pool: { path: { data_pool: Id }; query: undefined; body: DataPoolUpdate; answer: OneDataPool; };
  delete_data_pool: { path: { data_pool: Id }; query: undefined; body: undefined; answer: Message; };
  list_pool_entries: { path: { data_pool: Id }; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[key]"?: Value; "filter[flow_run_id]"?: Value }; body: undefined; answer: PagePoolEntry; };
  add_pool_entries: { path: { data_pool: Id }; query: undefined; body: PoolKeys; answer: OnePoolAdded; };
  delete_pool_entries: { path: { data_pool: Id }; query: undefined; body: undefined; answer: Message; };
  delete_pool_entry: { path: { data_pool: Id; pool_entry: Id }; query: undefined; body: undefined; answer: Message; };
  list_lookup_tables: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; "filter[id]"?: Value; "filter[name]"?: Value; "filter[search]"?: Value }; body: undefined; answer: PageLookupTable; };
  create_lookup_table: { path: undefined; query: undefined; body: LookupTableCreate; answer: OneLookupTable; };
  get_lookup_table: { path: { lookup_table: Id }; query: undefined; body: undefined; answer: OneLookupTable; };
  update_lookup_table: { path: { lookup_table: Id }; query: undefined; body: LookupTableUpdate; answer: OneLookupTable; };
  delete_lookup_table: { path: { lookup_table: Id }; query: undefined; body: undefined; answer: Message; };
  list_lookup_rows: { path: { lookup_table: Id }; query: { page?: Value; per_page?: Value; sort?: Value; "filter[left]"?: Value; "filter[right]"?: Value }; body: undefined; answer: PageLookupRow; };
  create_lookup_row: { path: { lookup_table: Id }; query: undefined; body: LookupRowCreate; answer: OneLookupRow; };
  update_lookup_row: { path: { lookup_table: Id; lookup_row: Id }; query: undefined; body: LookupRowUpdate; answer: OneLookupRow; };
  delete_lookup_row: { path: { lookup_table: Id; lookup_row: Id }; query: undefined; body: undefined; answer: Message; };
  download_lookup_table: { path: { lookup_table: Id }; query: undefined; body: undefined; answer: unknown; };
  upload_lookup_table: { path: { lookup_table: Id }; query: undefined; body: undefined; answer: OneLookupTable; };
  list_cache_entries: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[scope]"?: Value; "filter[key]"?: Value }; body: undefined; answer: PageCacheEntry; };
  get_cache_entry: { path: { cache_entry: Id }; query: undefined; body: undefined; answer: OneCacheEntry; };
  delete_cache_entry: { path: { cache_entry: Id }; query: undefined; body: undefined; answer: Message; };
  list_tracked_data: { path: undefined; query: { page?: Value; per_page?: Value; sort?: Value; cursor?: Value; "filter[entity_type]"?: Value; "filter[value]"?: Value; "filter[direction]"?: Value; "filter[flow_id]"?: Value; "filter[flow_run_id]"?: Value; "filter[created_after]"?: Value; "filter[created_before]"?: Value }; body: undefined; answer: PageTracked; };
  receive_webhook: { path: { company: Id; ulid: Id }; query: { signature?: Value }; body: undefined; answer: {
  message: string;
  flow_run_id: number;
}; };
  receive_callback: { path: { company: Id; ulid: Id }; query: { signature?: Value; wait_seconds?: Value }; body: undefined; answer: undefined; };
};
