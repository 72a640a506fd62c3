{{/* What is named and labelled alike everywhere. */}}

{{- define "flowloom.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "flowloom.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{- define "flowloom.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "flowloom.name" .) -}}
{{- end -}}

{{/* Takes (list $ "api"): the labels that never change, by which pods are found. */}}
{{- define "flowloom.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{/* Takes (list $ "api"): all labels. */}}
{{- define "flowloom.labels" -}}
{{- $root := first . -}}
{{ include "flowloom.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* A value as text. Helm reads numbers as floats and would write a million as 1e+06. */}}
{{- define "flowloom.text" -}}
{{- if kindIs "float64" . -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* Why these values make no working Flowloom. */}}
{{- define "flowloom.refuse" -}}
{{- if not .Values.existingSecret -}}
{{- fail "existingSecret must name the Secret that holds database-url, nats-url and secret-key" -}}
{{- end -}}
{{- if not (or .Values.payloads.existingClaim (has "blob-url" .Values.secretKeys)) -}}
{{- fail "large payloads need a place that all pods share: add blob-url to secretKeys, or set payloads.existingClaim" -}}
{{- end -}}
{{- end -}}
