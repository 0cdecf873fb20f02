/**
 * Fields of the agent-server's own objects that a workflow may set by their name; the server checks their values. From
 * the models `LLM`, `Agent` and `ACPAgent` of openhands-sdk 1.57.0. The server ignores fields it does not know, so a
 * misspelt one would go unnoticed if it were passed on; newer ones can stand under `options`.
 */

/** Of `LLM`, without its secrets and what this program sets itself (`model`, `base_url`, `usage_id`). */
export const llmFields: ReadonlyArray<string> = [
  "api_version",
  "auth_type",
  "subscription_vendor",
  "provider_connection_id",
  "aws_region_name",
  "aws_profile_name",
  "aws_role_name",
  "aws_session_name",
  "aws_bedrock_runtime_endpoint",
  "openrouter_site_url",
  "openrouter_app_name",
  "num_retries",
  "retry_multiplier",
  "retry_min_wait",
  "retry_max_wait",
  "timeout",
  "stream",
  "stream_idle_timeout",
  "max_message_chars",
  "temperature",
  "top_p",
  "top_k",
  "seed",
  "max_input_tokens",
  "max_output_tokens",
  "model_canonical_name",
  "api_mode",
  "capability_overrides",
  "extra_headers",
  "input_cost_per_token",
  "output_cost_per_token",
  "ollama_base_url",
  "drop_params",
  "disable_vision",
  "disable_stop_word",
  "caching_prompt",
  "log_completions",
  "log_completions_folder",
  "custom_tokenizer",
  "native_tool_calling",
  "force_string_serializer",
  "inline_image_urls",
  "reasoning_effort",
  "reasoning_summary",
  "enable_encrypted_reasoning",
  "prompt_cache_retention",
  "extended_thinking_budget",
  "litellm_extra_body",
  "fallback_strategy"
]

/** Of `LLM`: given as `<field>_env: NAME` only. `api_key` has a setting of its own. */
export const llmSecretFields: ReadonlyArray<string> = [
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token"
]

/** Of `Agent` and `ACPAgent`, without what has a setting of its own. */
export const agentFields: ReadonlyArray<string> = [
  "filter_tools_regex",
  "tool_concurrency_limit",
  "agent_context",
  "system_prompt",
  "system_prompt_filename",
  "system_prompt_kwargs",
  "security_policy_filename",
  "persona",
  "critic",
  "acp_command",
  "acp_args",
  "acp_server",
  "acp_model",
  "acp_session_mode",
  "acp_prompt_timeout",
  "acp_startup_timeout",
  "acp_isolate_data_dir"
]
