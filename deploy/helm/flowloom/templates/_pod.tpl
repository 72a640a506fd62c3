{{/*
The pod of one role. Takes a dict: root, role (the label), args, resources, and settings of this role alone.
*/}}
{{- define "flowloom.pod" -}}
{{- include "flowloom.refuse" .root -}}
metadata:
  labels:
    {{- include "flowloom.labels" (list .root .role) | nindent 4 }}
    {{- with .root.Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .root.Values.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if ne .role "migration" }}
  serviceAccountName: {{ include "flowloom.serviceAccount" .root }}
  {{- end }}
  automountServiceAccountToken: false
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  # The sleep before the stop, the drain, and time to spare.
  terminationGracePeriodSeconds: {{ add .root.Values.drainSeconds 25 }}
  {{- if eq .role "migration" }}
  restartPolicy: Never
  {{- else }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "flowloom.selector" (list .root .role) | nindent 10 }}
  {{- end }}
  {{- with .root.Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "flowloom.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{- toYaml .args | nindent 8 }}
      env: {{- include "flowloom.environment" . | nindent 8 }}
      {{- if ne .role "migration" }}
      {{- include "flowloom.probes" . | nindent 6 }}
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
        - {name: secrets, mountPath: /run/secrets/flowloom, readOnly: true}
        {{- if .root.Values.payloads.existingClaim }}
        - {name: payloads, mountPath: /payloads}
        {{- end }}
  volumes:
    - {name: data, emptyDir: {}}
    - {name: tmp, emptyDir: {}}
    - name: secrets
      secret:
        secretName: {{ .root.Values.existingSecret }}
        defaultMode: 0440
    {{- with .root.Values.payloads.existingClaim }}
    - name: payloads
      persistentVolumeClaim: {claimName: {{ . }}}
    {{- end }}
{{- end -}}

{{- define "flowloom.environment" -}}
- {name: FLOWLOOM_HOST, value: 0.0.0.0}
- {name: FLOWLOOM_PORT, value: "8080"}
- {name: FLOWLOOM_DRAIN_SECONDS, value: {{ include "flowloom.text" .root.Values.drainSeconds | quote }}}
{{- range .root.Values.secretKeys }}
- {name: FLOWLOOM_{{ . | upper | replace "-" "_" }}_FILE, value: /run/secrets/flowloom/{{ . }}}
{{- end }}
{{- if .root.Values.payloads.existingClaim }}
- {name: FLOWLOOM_BLOB_URL, value: file:///payloads}
{{- end }}
{{- range $name, $value := .root.Values.settings }}
- {name: {{ $name }}, value: {{ include "flowloom.text" $value | quote }}}
{{- end }}
{{- end -}}

{{- define "flowloom.probes" -}}
ports:
  - {name: http, containerPort: 8080}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
{{- if eq .role "api" }}
lifecycle:
  # Until then balancers may still send requests here.
  preStop: {sleep: {seconds: 5}}
{{- end }}
{{- end -}}
