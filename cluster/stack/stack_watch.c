/* SPDX-License-Identifier: Apache-2.0 */
/* What shows how the head is: the log group, the dashboard, the alarm. */
#include "stack/stack_own.h"

#define BODY_MAX          8192
#define RETENTION_DEFAULT 180 /* days, as ParallelCluster's */

static void log_group(struct stack_writer *x)
{
	const char *policy = doc_text(x->log, "DeletionPolicy");

	stack_begin(x, "LogGroup", "AWS::Logs::LogGroup", policy ? policy : "Retain");
	if (doc_get(x->log, "RetentionInDays"))
		stack_copy_number(x, "RetentionInDays", x->log, "RetentionInDays");
	else
		jsonw_u64(&x->w, "RetentionInDays", RETENTION_DEFAULT);
	stack_tags(x, "Tags", "logs");
	stack_end(x);
}

/* ---- the dashboard ---- */

static const struct graph {
	const char *title, *namespace, *dimension, *value;
	const char *metrics[3]; /* NULL: fewer */
} graphs[] = {
        {"Head: processors", "AWS/EC2", "InstanceId", "${Head}", {"CPUUtilization"}},
        {"Head: network", "AWS/EC2", "InstanceId", "${Head}", {"NetworkIn", "NetworkOut"}},
        {"Head: status checks",
         "AWS/EC2",
         "InstanceId",
         "${Head}",
         {"StatusCheckFailed_Instance", "StatusCheckFailed_System"}},
        {"State and /home: operations",
         "AWS/EBS",
         "VolumeId",
         "${StateVolume}",
         {"VolumeReadOps", "VolumeWriteOps", "VolumeQueueLength"}},
};

static void put_graph(struct jsonw *w, const struct graph *g, unsigned at)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "type", "metric");
	jsonw_u64(w, "x", at % 2 * 12);
	jsonw_u64(w, "y", at / 2 * 6);
	jsonw_u64(w, "width", 12);
	jsonw_u64(w, "height", 6);
	jsonw_begin(w, "properties", '{');
	jsonw_str(w, "title", g->title);
	jsonw_str(w, "region", "${AWS::Region}");
	jsonw_begin(w, "metrics", '[');
	for (size_t i = 0; i < ARRAY_LEN(g->metrics) && g->metrics[i]; i++) {
		jsonw_begin(w, NULL, '[');
		jsonw_str(w, NULL, g->namespace);
		jsonw_str(w, NULL, g->metrics[i]);
		jsonw_str(w, NULL, g->dimension);
		jsonw_str(w, NULL, g->value);
		jsonw_end(w, ']');
	}
	jsonw_end(w, ']');
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void dashboard(struct stack_writer *x)
{
	struct strbuf body = STRBUF(x->arena, BODY_MAX);
	struct jsonw w = {.out = &body};

	jsonw_begin(&w, NULL, '{');
	jsonw_begin(&w, "widgets", '[');
	for (unsigned i = 0; i < ARRAY_LEN(graphs); i++)
		put_graph(&w, &graphs[i], i);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	stack_begin(x, "Dashboard", "AWS::CloudWatch::Dashboard", NULL);
	stack_sub(x, "DashboardName", "${AWS::StackName}-${AWS::Region}");
	stack_sub(x, "DashboardBody", body.data);
	stack_end(x);
}

/* ---- the alarm ---- */

static void alarm(struct stack_writer *x)
{
	stack_begin(x, "HeadAlarm", "AWS::CloudWatch::Alarm", NULL);
	stack_sub(x, "AlarmDescription",
	          "The head of cluster ${AWS::StackName} fails EC2's checks");
	jsonw_str(&x->w, "Namespace", "AWS/EC2");
	jsonw_str(&x->w, "MetricName", "StatusCheckFailed");
	jsonw_begin(&x->w, "Dimensions", '[');
	jsonw_begin(&x->w, NULL, '{');
	jsonw_str(&x->w, "Name", "InstanceId");
	stack_ref(x, "Value", "Head");
	jsonw_end(&x->w, '}');
	jsonw_end(&x->w, ']');
	jsonw_str(&x->w, "Statistic", "Maximum");
	jsonw_u64(&x->w, "Period", 60);
	jsonw_u64(&x->w, "EvaluationPeriods", 2);
	jsonw_u64(&x->w, "Threshold", 0);
	jsonw_str(&x->w, "ComparisonOperator", "GreaterThanThreshold");
	jsonw_str(&x->w, "TreatMissingData", "ignore");
	stack_end(x);
}

void stack_watch(struct stack_writer *x)
{
	if (x->logs)
		log_group(x);
	if (stack_unless_off(x->in->config, "Monitoring.Dashboards.CloudWatch.Enabled"))
		dashboard(x);
	if (stack_unless_off(x->in->config, "Monitoring.Alarms.Enabled"))
		alarm(x);
}
