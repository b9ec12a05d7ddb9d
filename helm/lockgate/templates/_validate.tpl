{{/* What must be set, all of it in one answer; each line is a sentence. */}}
{{- define "lockgate.validate" -}}
{{- $wrong := list }}
{{- $purposes := dict
  "databaseUrl" "the PostgreSQL URL"
  "brokerUrl" "the broker's URL"
  "chainRpcUrl" "the chain node's URL"
  "relayKey" "the relay's private key"
  "receiverAuthorizerKey" "the receiver-authorizer's private key" }}
{{- range $name := keys $purposes | sortAlpha }}
{{- if not (index $.Values.secrets $name).existingSecret }}
{{- $wrong = append $wrong (printf "secrets.%s.existingSecret is empty: name the existing Secret that holds %s (this chart never makes a secret)." $name (get $purposes $name)) }}
{{- end }}
{{- end }}
{{- with .Values }}
{{- if not .files.contracts.existingConfigMap }}
{{- $wrong = append $wrong "files.contracts.existingConfigMap is empty: name the existing ConfigMap that holds the contracts file." }}
{{- end }}
{{- if not .files.sanctions.existingConfigMap }}
{{- $wrong = append $wrong "files.sanctions.existingConfigMap is empty: name the existing ConfigMap that holds the sanctions list (an empty list is a list; no list is a refusal)." }}
{{- end }}
{{- if not .image.repository }}
{{- $wrong = append $wrong "image.repository is empty: name the image built from helm/Dockerfile." }}
{{- end }}
{{- if not .settings.chainId }}
{{- $wrong = append $wrong "settings.chainId is empty: set the id of the chain that the contracts file is of." }}
{{- end }}
{{- if not .settings.publicUrl }}
{{- $wrong = append $wrong "settings.publicUrl is empty: set the URL at which payers and merchants reach the API." }}
{{- end }}
{{- $least := add .api.preStopSeconds (ceil .settings.drainSeconds | int) (include "lockgate.gracefulSeconds" $) 5 }}
{{- if lt (int .api.terminationGracePeriodSeconds) (int $least) }}
{{- $wrong = append $wrong (printf "api.terminationGracePeriodSeconds is %d, but a pod that stops needs %d: preStopSeconds, settings.drainSeconds, %s seconds for requests in flight, and 5 to end." (int .api.terminationGracePeriodSeconds) $least (include "lockgate.gracefulSeconds" $)) }}
{{- end }}
{{- if ge (int .settings.receiptWaitSeconds) (int (include "lockgate.gracefulSeconds" $)) }}
{{- $wrong = append $wrong (printf "settings.receiptWaitSeconds is %d, but a stopping API gives requests only %s seconds: choose less." (int .settings.receiptWaitSeconds) (include "lockgate.gracefulSeconds" $)) }}
{{- end }}
{{- if and .api.autoscaling.enabled (gt (int .api.autoscaling.minReplicas) (int .api.autoscaling.maxReplicas)) }}
{{- $wrong = append $wrong "api.autoscaling.minReplicas is above maxReplicas." }}
{{- end }}
{{- if and .ingress.enabled (not .ingress.host) }}
{{- $wrong = append $wrong "ingress.host is empty: set the host name, or switch ingress.enabled off." }}
{{- end }}
{{- end }}
{{- if $wrong }}
{{- fail (printf "\n\n  %s\n" (join "\n  " $wrong)) }}
{{- end }}
{{- end }}

{{/* Seconds that `lockgate gateway serve` gives requests in flight once it was told to stop. */}}
{{- define "lockgate.gracefulSeconds" -}}25{{- end }}
