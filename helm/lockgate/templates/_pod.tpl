{{/* Parts of every pod. Each takes (list $ "component") unless it says otherwise. */}}

{{/* Annotations: a pod is replaced when anything that it reads was changed. Takes $. */}}
{{- define "lockgate.podAnnotations" -}}
checksum/settings: {{ include "lockgate.settings" . | sha256sum }}
checksum/references: {{ list .Values.secrets .Values.files | toJson | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lockgate.podLabels" -}}
{{- $root := index . 0 -}}
{{ include "lockgate.labels" . }}
{{- with $root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Takes $. Service links would put a Service named lockgate-http in place of LOCKGATE_HTTP_PORT. */}}
{{- define "lockgate.podCommon" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- range $name, $id := .Values.securityContext }}
  {{- if not (kindIs "invalid" $id) }}
  {{ $name }}: {{ int64 $id }}
  {{- end }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "lockgate.topologySpread" -}}
{{- $root := index . 0 }}
{{- if $root.Values.topologySpread.enabled -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $root.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "lockgate.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Image and confinement of every container. Takes $. */}}
{{- define "lockgate.containerCommon" -}}
image: {{ include "lockgate.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
workingDir: /tmp
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Environment from Secrets: (list $ "databaseUrl" "brokerUrl" ...). */}}
{{- define "lockgate.secretEnv" -}}
{{- $root := index . 0 }}
{{- range $name := rest . }}
{{- $secret := index $root.Values.secrets $name }}
- name: LOCKGATE_{{ snakecase $name | upper }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.existingSecret }}
      key: {{ $secret.key }}
{{- end }}
{{- with $root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Keys as files, for the parts that sign. Takes $. */}}
{{- define "lockgate.keyEnv" -}}
- name: LOCKGATE_RELAY_KEY_FILE
  value: /etc/lockgate/keys/relay.key
- name: LOCKGATE_RECEIVER_AUTHORIZER_KEY_FILE
  value: /etc/lockgate/keys/receiver-authorizer.key
{{- end }}

{{- define "lockgate.keyVolume" -}}
- name: keys
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .Values.secrets.relayKey.existingSecret }}
          items:
            - key: {{ .Values.secrets.relayKey.key }}
              path: relay.key
      - secret:
          name: {{ .Values.secrets.receiverAuthorizerKey.existingSecret }}
          items:
            - key: {{ .Values.secrets.receiverAuthorizerKey.key }}
              path: receiver-authorizer.key
{{- end }}

{{- define "lockgate.keyMount" -}}
- name: keys
  mountPath: /etc/lockgate/keys
  readOnly: true
{{- end }}

{{/* Files and writable folders. Whole folders are mounted, not single files, so that a changed list arrives. Takes $. */}}
{{- define "lockgate.volumes" -}}
{{- range $name, $paths := dict "contracts" "contracts.json" "sanctions" "sanctions.txt" "watch" "watch.txt" }}
{{- $file := index $.Values.files $name }}
{{- if $file.existingConfigMap }}
- name: {{ $name }}
  configMap:
    name: {{ $file.existingConfigMap }}
    items:
      - key: {{ $file.key }}
        path: {{ $paths }}
{{- end }}
{{- end }}
- name: metrics
  emptyDir:
    medium: Memory
    sizeLimit: {{ .Values.metricsSize }}
{{ include "lockgate.scratchVolumes" . }}
{{- end }}

{{- define "lockgate.scratchVolumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSize }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lockgate.mounts" -}}
{{- range $name := list "contracts" "sanctions" "watch" }}
{{- if (index $.Values.files $name).existingConfigMap }}
- name: {{ $name }}
  mountPath: /etc/lockgate/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}
- name: metrics
  mountPath: /var/lib/lockgate/metrics
{{ include "lockgate.scratchMounts" . }}
{{- end }}

{{- define "lockgate.scratchMounts" -}}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A probe's action: the file was touched less than so many seconds ago. Takes (list path seconds). */}}
{{- define "lockgate.fileIsFresh" -}}
exec:
  command:
    - sh
    - -c
    - touched=$(stat -c %Y "$0") && [ $(( $(date +%s) - touched )) -lt "$1" ]
    - {{ index . 0 }}
    - {{ index . 1 | int64 | quote }}
timeoutSeconds: 5
{{- end }}
